/** For the type checker: see sources.mjs. */
export function configurationPath(root: string, named?: string): string | null;
export function stampOf(root: string, named?: string, stage?: string): string;
