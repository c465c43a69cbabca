// Order conditions of Runge-Kutta methods by rooted trees (Butcher; Hairer, Norsett, Wanner II.2): a method is of order p when
//
//   sum_i b_i Phi_i(t) = 1/gamma(t)   for every rooted tree t of at most p nodes,
//   Phi_i(t) = product over the branches u at the root of sum_j a_ij Phi_j(u),   gamma(t) = |t| * product of gamma(u).

export interface Tree {
  readonly order: number;
  readonly gamma: number;
  readonly branches: readonly Tree[];
}

/** All rooted trees of 1 to `most` nodes: 1, 1, 2, 4, 9, 20, ... */
export function rootedTrees(most: number): readonly Tree[] {
  const trees: Tree[] = [];
  for (let order = 1; order <= most; order++)
    for (const branches of forests(trees, order - 1, trees.length - 1))
      trees.push({ order, gamma: branches.reduce((product, branch) => product * branch.gamma, order), branches });
  return trees;
}

/** Multisets of the trees up to index `last` with `nodes` nodes together. */
function forests(trees: readonly Tree[], nodes: number, last: number): Tree[][] {
  if (nodes === 0) return [[]];
  const out: Tree[][] = [];
  for (let i = Math.min(last, trees.length - 1); i >= 0; i--)
    if (trees[i].order <= nodes)
      for (const rest of forests(trees, nodes - trees[i].order, i)) out.push([trees[i], ...rest]);
  return out;
}

/** Phi_i(t) of all stages. */
export function stageWeights(a: readonly (readonly number[])[], tree: Tree): readonly number[] {
  const branches = tree.branches.map((branch) => stageWeights(a, branch));
  return a.map((row) =>
    branches.reduce((product, phi) => product * row.reduce((sum, value, j) => sum + value * phi[j], 0), 1),
  );
}

/** sum_i b_i Phi_i(t), and the same with every coefficient positive: the scale of its rounding errors. */
export function elementaryWeight(a: readonly (readonly number[])[], b: readonly number[], tree: Tree) {
  const sum = (weights: readonly number[], phi: readonly number[]) =>
    weights.reduce((total, weight, i) => total + weight * phi[i], 0);
  const positive = a.map((row) => row.map(Math.abs));
  return { value: sum(b, stageWeights(a, tree)), scale: sum(b.map(Math.abs), stageWeights(positive, tree)) };
}
