/** For the type checker: see debian.mjs. */
type DebianPackage = { readonly name: string; readonly proof: string; readonly purpose: string };

export const debianPackages: readonly DebianPackage[];
export function installDebianPackages(root: string, packages?: readonly DebianPackage[]): Promise<void>;
