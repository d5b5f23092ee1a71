// MessagePack to messages. Columns become typed arrays that look into the received bytes.

import { decode } from "@msgpack/msgpack";
import { COLUMNS, type Message, type Topic } from "./messages";

const ARRAYS = { f32: Float32Array, i32: Int32Array, u16: Uint16Array, u8: Uint8Array } as const;

/** As an object, so that the compiler misses a topic that is not in it. */
const KNOWN: Record<Topic, true> = {
  site: true,
  tracks: true,
  trails: true,
  alerts: true,
  zones: true,
  sensors: true,
  rays: true,
  reports: true,
  permits: true,
  incidents: true,
  service: true,
  troubles: true,
};
const TOPICS: ReadonlySet<string> = new Set(Object.keys(KNOWN));

/** A message, or null for a topic that this page does not know (a newer service may have more). */
export function decodeMessage(bytes: ArrayBuffer): Message | null {
  const plain = decode(new Uint8Array(bytes)) as Record<string, unknown>;
  if (typeof plain !== "object" || plain === null || !TOPICS.has(plain.topic as string)) return null;
  for (const [name, kind] of Object.entries(COLUMNS[plain.topic as Topic] ?? {})) {
    plain[name] = column(plain[name], ARRAYS[kind], name);
  }
  return plain as unknown as Message;
}

type Column = (typeof ARRAYS)[keyof typeof ARRAYS];

function column(value: unknown, Kind: Column, name: string): InstanceType<Column> {
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${name} is no bytes`);
  const size = Kind.BYTES_PER_ELEMENT;
  // A typed array must begin at a multiple of its element size; bytes in a message may begin anywhere.
  const aligned = value.byteOffset % size === 0 ? value : value.slice();
  return new Kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, value.byteLength / size);
}
