import type { Plugin } from 'esbuild';

export type LazyConfiguration = { readonly path: string | null; json(): Promise<unknown> };

export function lazyConfiguration(root: string, named?: string, stage?: string): LazyConfiguration;

export function configurationPlugin(configuration: LazyConfiguration): Plugin;
