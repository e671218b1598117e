/**
 * The osls plugin that serverless.yml names. It answers `${switchback:…}` from the configuration, builds the
 * bundles before they are packaged, and refuses what is wrong before anything is changed.
 *
 * SWITCHBACK_CONFIG names another configuration than switchback.yml, SWITCHBACK_DIST another folder for the
 * bundles.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configurationPath, stampOf } from '../../../scripts/build/sources.mjs';
import { compileConfiguration } from '../configure/compile.ts';
import { ConfigurationRefused } from '../configure/yamlFile.ts';
import type { Deployment } from './deployment.ts';
import { generated } from './generated.ts';
import { readStage } from './stage.ts';

/** What osls hands over; as much of it as is used. */
type Serverless = { readonly serviceDir: string };
type Options = { readonly stage?: string };
type Variable = { readonly address?: string | null };

/** What stands in the place of the answers until osls is ready to hear that there are none. */
const nothing = { stage: { logRetentionDays: 30, deletionProtection: true }, functions: {}, resources: {} };

class SwitchbackPlugin {
  readonly hooks: Readonly<Record<string, () => Promise<void>>>;
  readonly configurationVariablesSources = {
    switchback: { resolve: (variable: Variable) => this.#resolve(variable) },
  };
  readonly #root: string;
  readonly #stage: string;
  #parts: Promise<ReturnType<typeof generated> | typeof nothing> | undefined;
  #refusal: ConfigurationRefused | null = null;

  constructor({ serviceDir }: Serverless, { stage = 'dev' }: Options) {
    this.#root = serviceDir;
    this.#stage = stage;
    this.hooks = {
      initialize: () => this.#refuse(),
      'before:package:createDeploymentArtifacts': () => this.#build(),
    };
  }

  async #resolve({ address }: Variable) {
    this.#parts ??= this.#deployment()
      .then(generated)
      .catch((error: unknown) => {
        if (!(error instanceof ConfigurationRefused)) throw error;
        this.#refusal = error;
        return nothing;
      });
    const parts = await this.#parts;
    const found = Object.entries(parts).find(([name]) => name === address);
    if (found !== undefined) return { value: found[1] };
    const known = Object.keys(parts).join(', ');
    throw new Error(`serverless.yml: there is no switchback:${address}; there are ${known}`);
  }

  /** Told here and not where it was met: osls would say it once per variable, each with a stack. */
  async #refuse(): Promise<void> {
    if (this.#refusal === null) return;
    // Errors of this name are the user's to mend, and shown without a stack.
    throw Object.assign(new Error(this.#refusal.message), { name: 'ServerlessError' });
  }

  async #deployment(): Promise<Deployment> {
    const stage = readStage(this.#root, this.#stage);
    const configuration = await compileConfiguration(this.#configuration(), stage.name);
    return { stage, configuration, dist: dist() };
  }

  #configuration(): string {
    const path = configurationPath(this.#root);
    if (path !== null) return path;
    throw new ConfigurationRefused('there is no configuration: write switchback.yml, see docs/deploy.md');
  }

  /** Bundles of this very configuration and stage; nothing is done where they are there already. */
  async #build(): Promise<void> {
    const stampFile = join(this.#root, dist(), '.stamp');
    const stamp = stampOf(this.#root, this.#configuration(), this.#stage);
    if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
    const words = ['--config', this.#configuration(), '--out', dist(), '--stage', this.#stage];
    await promisify(execFile)(process.execPath, ['scripts/build.mjs', ...words], { cwd: this.#root });
  }
}

/** Handlers are named by this path, so it is one below the project's root. */
const dist = (): string => process.env.SWITCHBACK_DIST ?? 'dist';

// osls takes what `require` gives; an ES module gives it under this name (Node's `require(esm)`).
export { SwitchbackPlugin as 'module.exports' };
