/**
 * For each rule, violations with the place where each must be found, and a house in which it finds nothing: a
 * rule that cannot fail, or that fails on what is allowed, is none.
 */

export type Files = Readonly<Record<string, string>>;

export type Proof = {
  readonly caught: readonly (readonly [place: string, files: Files])[];
  readonly clean: Files;
  /** The rule loads the files, so they must stand on a disk. */
  readonly onDisk?: true;
};
