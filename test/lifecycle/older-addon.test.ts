// An addon that is older than the library knows fewer members of a network's description. It must refuse the others: a loss or slots that it
// ignored would train something else without a word.
import { describe, expect, it } from "vitest";
import { FACE } from "../../src/backend/native/binding.js";
import { nativeNetwork } from "../../src/backend/native/description.js";
import { foreignFace, loadNative } from "../../src/backend/native/load.js";
import { network, squaredError } from "../../src/index.js";

const native = loadNative();

describe.skipIf(!native.ok)("the addon", () => {
  if (!native.ok) return;
  const { NativeEngine } = native.binding;
  const description = nativeNetwork(network({ layers: [2, 3, 1] }).architecture, squaredError(), 1);

  it("takes the description that the library makes", () => {
    const engine = new NativeEngine(description, 4, null, false, 1, null);
    engine.dispose();
  });

  it("refuses a member that it does not know, with the command that builds it again", () => {
    expect(
      () => new NativeEngine({ ...description, dropout: 0.5 } as typeof description, 4, null, false, 1, null),
    ).toThrow(/network has dropout, which this addon does not know.*npm run build:native/);
  });

  it("has the number of the library's face, and another is refused by its number", () => {
    expect(foreignFace(native.binding)).toBeNull();
    expect(foreignFace({ face: FACE - 1 })).toMatch(
      /another version of gaussflow: its functions are those of version \d+, not of \d+$/,
    );
    expect(foreignFace({})).toMatch(/another version of gaussflow.*a version without a number/);
  });

  it("refuses a loss by a number between two", () => {
    expect(() => new NativeEngine({ ...description, loss: 1.5 }, 4, null, false, 1, null)).toThrow("unknown loss");
  });
});
