// Sends texts between the ranks by exchanges of numbers, for agreement.ts: the text of every rank to every rank.
import type { Cluster } from "./cluster.js";

/** The texts of all ranks, in the order of the ranks. */
export async function gatherTexts(cluster: Cluster, own: string): Promise<readonly string[]> {
  const bytes = new TextEncoder().encode(own);
  const lengths = (await cluster.gather(Float64Array.of(bytes.length))).map(([length]) => length as number);
  const room = new Float64Array(Math.ceil(Math.max(1, ...lengths) / Float64Array.BYTES_PER_ELEMENT));
  new Uint8Array(room.buffer).set(bytes);
  const all = await cluster.gather(room);
  return all.map((values, rank) =>
    new TextDecoder().decode(new Uint8Array(values.buffer, values.byteOffset, lengths[rank])),
  );
}
