/** For the type checker: see build.mjs. */
export function buildBundles(options: {
  readonly root: string;
  readonly outDir?: string;
  readonly configuration?: string | undefined;
  readonly stage?: string;
}): Promise<readonly { readonly verb: string; readonly bytes: number }[]>;
