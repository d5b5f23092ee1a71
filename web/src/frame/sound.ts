// A short sound for a new alert. Browsers allow none before the first click or key: then it says so.

const KEY = "skykeep-mute";

export class Sound {
  private context: AudioContext | null = null;
  private readonly listeners: (() => void)[] = [];
  muted = localStorage.getItem(KEY) === "yes";

  constructor() {
    const wake = () => {
      this.context ??= new AudioContext();
      void this.context.resume().then(() => this.tell());
    };
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, wake, { once: true });
  }

  /** Whether a beep would be heard. */
  get state(): "on" | "muted" | "blocked" {
    if (this.muted) return "muted";
    return this.context?.state === "running" ? "on" : "blocked";
  }

  onChange(tell: () => void): void {
    this.listeners.push(tell);
    tell();
  }

  toggle(): void {
    this.muted = !this.muted;
    localStorage.setItem(KEY, this.muted ? "yes" : "no");
    this.tell();
    if (!this.muted) this.beep(3);
  }

  /** Two rising tones for the gravest, one for others. */
  beep(priority: number): void {
    if (this.state !== "on" || !this.context) return;
    this.tone(priority === 1 ? 740 : 520, 0);
    if (priority === 1) this.tone(980, 0.22);
  }

  /** Nobody has looked: three times up and down, unlike anything that a new alert says. */
  alarm(): void {
    if (this.state !== "on" || !this.context) return;
    for (let turn = 0; turn < 3; turn++) {
      this.tone(980, turn * 0.5);
      this.tone(620, turn * 0.5 + 0.25);
    }
  }

  private tone(hertz: number, inS: number): void {
    const context = this.context!;
    const from = context.currentTime + inS;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(0.25, from + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, from + 0.2);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(from + 0.22);
  }

  private tell(): void {
    for (const tell of this.listeners) tell();
  }
}
