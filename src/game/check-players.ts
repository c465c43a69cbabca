// Checks that the two networks of a min-max game fit each other. minmax.ts and game-plan.ts call it on their arguments.
import { argumentError } from "../errors.js";
import { checkNetwork, type Network } from "../network/network.js";

/** @throws GAUSSFLOW_ARGUMENT for networks that do not fit each other, or that predict in other units than they compute in */
export function checkPlayers(generator: Network, discriminator: Network): void {
  for (const [name, one] of Object.entries({ generator, discriminator })) {
    checkNetwork(name, one);
    if (one.scaling !== null || one.center !== null || one.link !== "identity")
      throw argumentError(
        name,
        'must have no scaling, no centering and the link "identity": make it by network({ layers, activation, seed })',
        one.link !== "identity" ? `the link ${one.link}` : one.center !== null ? "a centered network" : "a scaling",
      );
  }
  const { outputSize } = generator;
  if (discriminator.outputSize !== 1)
    throw argumentError("discriminator", "must have one output", `${discriminator.outputSize} outputs`);
  if (discriminator.inputSize !== outputSize)
    throw argumentError(
      "discriminator",
      `must have ${outputSize} inputs, as many as the generator has outputs`,
      `${discriminator.inputSize} inputs`,
    );
}
