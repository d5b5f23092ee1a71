// Commands and questions over HTTP; every error comes back as words: where, what, how to mend.

export interface Problem {
  where: string;
  problem: string;
  mend: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly said: Problem,
  ) {
    super(`${said.problem}. ${said.mend}`);
  }
}

/** What lets this page in: a token, or the cookie of a session, beside which changes say `csrf`. */
export type Key = { token: string } | { csrf: string };

/** What changes say where somebody is signed in; null where nobody is. */
export async function signedIn(): Promise<string | null> {
  if (!document.cookie.split("; ").includes("skykeep_in=1")) return null;
  try {
    const answer = await fetch("/v1/me");
    return answer.ok ? ((await answer.json()) as { csrf: string | null }).csrf : null;
  } catch {
    return null;
  }
}

/** End the session, if there is one, and show the door. */
export async function signOut(): Promise<void> {
  if (!document.cookie.split("; ").includes("skykeep_in=1")) return;
  await fetch("/sign-out", { method: "POST", body: new URLSearchParams(), redirect: "manual" });
}

export class Api {
  constructor(readonly key: Key) {}

  async get<T>(path: string): Promise<T> {
    return (await (await this.send("GET", path)).json()) as T;
  }

  async command<T>(name: string, body: unknown): Promise<T> {
    const answer = await this.send("POST", `/v1/commands/${name}`, JSON.stringify(body));
    return (await answer.json()) as T;
  }

  /** A file, to be saved. */
  async file(path: string): Promise<Blob> {
    return (await this.send("GET", path)).blob();
  }

  private async send(method: string, path: string, body?: string): Promise<Response> {
    const headers: Record<string, string> =
      "token" in this.key ? { Authorization: `Bearer ${this.key.token}` } : { "Skykeep-Csrf": this.key.csrf };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let answer: Response;
    try {
      answer = await fetch(path, { method, headers, body });
    } catch {
      const problem = "the service does not answer";
      throw new ApiError(0, { where: path, problem, mend: "Try again when it is back" });
    }
    if (answer.ok) return answer;
    throw new ApiError(answer.status, await words(answer, path));
  }
}

async function words(answer: Response, path: string): Promise<Problem> {
  try {
    return (await answer.json()) as Problem;
  } catch {
    return { where: path, problem: `the service answered ${answer.status}`, mend: "Try again" };
  }
}
