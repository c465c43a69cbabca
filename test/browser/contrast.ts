/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Runs in the page: refers to nothing outside of itself.

/** A piece of text that is too faint. */
export interface Faint {
  readonly text: string;
  readonly ratio: number;
}

/** How many pieces of text are in sight, and those whose contrast (WCAG 2) to what lies behind them is below `least`. */
export function faintTexts(least: number): { seen: number; faint: Faint[] } {
  type Color = [red: number, green: number, blue: number, alpha: number];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;

  // Whatever way a color is written in, one pixel painted with it is red, green, blue and alpha.
  function parse(text: string): Color {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red!, green!, blue!, alpha! / 255];
  }

  function over([r, g, b, alpha]: Color, [r0, g0, b0]: Color): Color {
    const mix = (top: number, bottom: number): number => top * alpha + bottom * (1 - alpha);
    return [mix(r, r0), mix(g, g0), mix(b, b0), 1];
  }

  function background(element: Element): Color {
    const layers: Color[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement)
      layers.push(parse(getComputedStyle(at).backgroundColor));
    const screen: Color = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
    return layers.reverse().reduce((below, layer) => over(layer, below), screen);
  }

  function opacity(element: Element): number {
    let all = 1;
    for (let at: Element | null = element; at !== null; at = at.parentElement)
      all *= Number(getComputedStyle(at).opacity);
    return all;
  }

  function luminance(color: Color): number {
    const [r, g, b] = color.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  }

  const faint: Faint[] = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement!;
    const text = node.textContent!.trim();
    if (text === "" || !element.checkVisibility({ visibilityProperty: true })) continue;
    seen++;
    const behind = background(element);
    const [r, g, b, alpha] = parse(getComputedStyle(element).color);
    const front = over([r, g, b, alpha * opacity(element)], behind);
    const [light, dark] = [luminance(front), luminance(behind)].sort((x, y) => y - x);
    const ratio = (light! + 0.05) / (dark! + 0.05);
    if (ratio < least) faint.push({ text: text.slice(0, 40), ratio });
  }
  return { seen, faint };
}
