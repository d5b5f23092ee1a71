// Which track and which alert are looked at now; map, list and detail follow it.

export class Selection {
  track: string | null = null;
  alert: string | null = null;
  private readonly listeners: ((fly: boolean) => void)[] = [];

  /** `fly`: bring it into view too. */
  choose(track: string | null, alert: string | null, fly: boolean): void {
    if (track === this.track && alert === this.alert && !fly) return;
    this.track = track;
    this.alert = alert;
    for (const tell of this.listeners) tell(fly);
  }

  onChange(tell: (fly: boolean) => void): void {
    this.listeners.push(tell);
  }
}
