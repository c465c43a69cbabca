// Writes a PNG file of gray pixels, for pictures that a developer looks at: bench/minmax-digits.mjs draws a grid of digits with it.
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** `pixels` holds width * height values from 0 (black) to 1 (white); others are drawn as the nearest of the two. */
export function writeGrayPng(path, pixels, width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8); // 8 bits, gray, no interlacing
  // Each row begins with the number of its filter, 0 = none.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rows[y * (width + 1) + 1 + x] = Math.round(255 * Math.min(1, Math.max(0, pixels[y * width + x])));
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  writeFileSync(path, Buffer.concat([SIGNATURE, ...parts]));
}

/** Small square pictures side by side, `columns` a row, each pixel `zoom` wide, with a white line between them. */
export function writePictureGrid(path, pictures, side, columns, zoom) {
  const cell = side * zoom + 2;
  const lines = Math.ceil(pictures.length / columns);
  const [width, height] = [columns * cell, lines * cell];
  const pixels = new Float64Array(width * height).fill(1);
  pictures.forEach((picture, at) => {
    const [left, top] = [(at % columns) * cell, Math.floor(at / columns) * cell];
    for (let y = 0; y < side * zoom; y++)
      for (let x = 0; x < side * zoom; x++)
        pixels[(top + y) * width + left + x] = picture[Math.floor(y / zoom) * side + Math.floor(x / zoom)];
  });
  writeGrayPng(path, pixels, width, height);
}
