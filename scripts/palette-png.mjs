// Rewrites a PNG of a chart with a palette of at most 256 colors, a third of its bytes. make-pictures.mjs calls it on
// the screenshots of the browser, which have 8 bits a channel and no interlacing.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Channels by color type: true color without and with opacity. */
const CHANNELS = { 2: 3, 6: 4 };
const MOST_COLORS = 256;

/**
 * @param png a screenshot @returns the same picture; each channel of a pixel within the least distance that 256 colors
 * allow
 */
export function withPalette(png) {
  const { width, height, channels, bytes } = decode(png);
  const counts = new Map();
  const colors = new Uint32Array(width * height);
  for (let k = 0; k < colors.length; k++) {
    const at = k * channels;
    colors[k] = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    counts.set(colors[k], (counts.get(colors[k]) ?? 0) + 1);
  }
  const { palette, nearest } = paletteOf(counts);
  const rows = Buffer.alloc(height * (width + 1));
  for (let k = 0; k < colors.length; k++)
    rows[Math.floor(k / width) * (width + 1) + 1 + (k % width)] = nearest.get(colors[k]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(palette.flatMap(channelsOf))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const channelsOf = (color) => [color >> 16, (color >> 8) & 255, color & 255];

/** The most frequent colors such that every color is near one of them, and the place of that one. */
function paletteOf(counts) {
  const frequent = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  for (let distance = 0; ; distance += 4) {
    const palette = [];
    const nearest = new Map();
    for (const color of frequent) {
      let [place, least] = [-1, Number.POSITIVE_INFINITY];
      for (const [k, other] of palette.entries()) {
        const far = apart(color, other);
        if (far < least) [place, least] = [k, far];
      }
      if (least > distance) place = palette.push(color) - 1;
      if (palette.length > MOST_COLORS) break;
      nearest.set(color, place);
    }
    if (palette.length <= MOST_COLORS) return { palette, nearest };
  }
}

function apart(one, other) {
  const [a, b] = [channelsOf(one), channelsOf(other)];
  return Math.max(...a.map((value, k) => Math.abs(value - b[k])));
}

/** Pixels of a PNG, row by row. */
function decode(png) {
  let header = null;
  const parts = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const data = png.subarray(at + 8, at + 8 + length);
    const type = png.toString("latin1", at + 4, at + 8);
    if (type === "IHDR") header = data;
    if (type === "IDAT") parts.push(data);
    at += length + 12;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = CHANNELS[header[9]];
  if (channels === undefined || header[8] !== 8 || header[12] !== 0)
    throw new Error("the PNG has another form than screenshots have");
  const stride = width * channels;
  const filtered = inflateSync(Buffer.concat(parts));
  const bytes = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = filtered[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? bytes[y * stride + x - channels] : 0;
      const up = y > 0 ? bytes[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? bytes[(y - 1) * stride + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      bytes[y * stride + x] = filtered[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, bytes };
}

/** The neighbor that is nearest to left + up - corner. */
function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
