// The files beside the page: the signed list first, then the zones that it names.

import { type ZonesDocument } from "./judge/data";
import { sha256 } from "./sha256";

const MANIFEST = "manifest.txt";
const ZONES = "zones.geojson";
const FORMAT = 1;
/** A folder that is being renewed is whole again soon. */
const TRIES = 3;
const AGAIN_MS = 1_500;

export interface Loaded {
  document: ZonesDocument;
  /** Until when the authority's record knew of everything. */
  atMs: number;
  /** Name and number of the signed state of the record. */
  record: string;
  size: string;
  files: string[];
  /** SHA-256 of the zones: another one, other zones. */
  sha256: string;
}

interface Listed {
  at: string;
  record: string;
  size: string;
  files: Map<string, string>;
}

/** The publication; an Error says in English what is amiss, for whoever keeps the page. */
export async function load(): Promise<Loaded> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      if (attempt === TRIES) throw error;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

async function once(): Promise<Loaded> {
  const listed = parse(new TextDecoder().decode(await bytes(MANIFEST)));
  const data = await bytes(ZONES);
  const digest = sha256(data);
  if (digest !== listed.files.get(ZONES)) {
    throw new Error(`${ZONES} is not the file that the signed list names`);
  }
  const document = JSON.parse(new TextDecoder().decode(data)) as ZonesDocument;
  if (document.skykeep.format !== FORMAT) throw new Error(`${ZONES} has another format`);
  const atMs = Date.parse(listed.at);
  if (Number.isNaN(atMs)) throw new Error(`${MANIFEST} has no date`);
  const files = [...listed.files.keys()];
  return { document, atMs, record: listed.record, size: listed.size, files, sha256: digest };
}

async function bytes(name: string): Promise<Uint8Array> {
  const answer = await fetch(new URL(name, document.baseURI), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${name}: status ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

function parse(note: string): Listed {
  const said = new Map<string, string>();
  const files = new Map<string, string>();
  for (const line of note.split("\n")) {
    if (line === "") break; // signatures follow
    const [word = "", ...rest] = line.split(" ");
    if (word === "file") files.set(rest[0] ?? "", rest[2] ?? "");
    else said.set(word, rest.join(" "));
  }
  return {
    at: said.get("at") ?? "",
    record: said.get("record") ?? "",
    size: said.get("size") ?? "",
    files,
  };
}
