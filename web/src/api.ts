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

export class Api {
  constructor(readonly token: string) {}

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
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
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
