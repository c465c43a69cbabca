// An addon that is older than the library knows fewer members of a network's description. It must refuse the others: a loss or slots that it
// ignored would train something else without a word.
import { describe, expect, it } from "vitest";
import { nativeNetwork } from "../../src/backend/native/description.js";
import { loadNative, missingMethod } from "../../src/backend/native/load.js";
import { network, squaredError } from "../../src/index.js";

const native = loadNative();

describe.skipIf(!native.ok)("the addon", () => {
  if (!native.ok) return;
  const { NativeEngine } = native.binding;
  const description = nativeNetwork(network({ layers: [2, 3, 1] }).architecture, squaredError(), 1);

  it("takes the description that the library makes", () => {
    const engine = new NativeEngine(description, 4, null, false, 1);
    engine.dispose();
  });

  it("refuses a member that it does not know, with the command that builds it again", () => {
    expect(() => new NativeEngine({ ...description, dropout: 0.5 } as typeof description, 4, null, false, 1)).toThrow(
      /network has dropout, which this addon does not know.*npm run build:native/,
    );
  });

  it("has every method that the library calls, and one that has not is recognized", () => {
    expect(missingMethod({ NativeEngine })).toBeNull();
    class Older {
      touchPages() {}
      hessianProduct() {}
    }
    expect(missingMethod({ NativeEngine: Older as unknown as typeof NativeEngine })).toBe("dampedInverse");
  });

  it("refuses a loss by a number between two", () => {
    expect(() => new NativeEngine({ ...description, loss: 1.5 }, 4, null, false, 1)).toThrow("unknown loss");
  });
});
