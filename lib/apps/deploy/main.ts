/**
 * The osls plugin that serverless.yml names. It answers `${switchback:…}` from the configuration, builds the
 * bundles before they are packaged, and refuses what is wrong before anything is changed.
 *
 * SWITCHBACK_CONFIG names another configuration than switchback.yml, SWITCHBACK_DIST another folder for the
 * bundles.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { configurationPath, stampOf } from '../../../scripts/build/sources.mjs';
import { layeredVariables } from '../../aws/layers.ts';
import { referencesIn } from '../../core/config/reference.ts';
import { compileConfiguration } from '../configure/compile.ts';
import { refuseVariables } from '../configure/variables.ts';
import { ConfigurationRefused } from '../configure/yamlFile.ts';
import { smokeCheck } from '../smoke/smokeCheck.ts';
import { refuseOtherAccounts } from './account.ts';
import { bridgeDeployment } from './bridgeDeployment.ts';
import type { Deployment } from './deployment.ts';
import { generated } from './generated.ts';
import { placeInStage, readStage } from './stage.ts';

/** What osls hands over; as much of it as is used. */
type Serverless = {
  readonly serviceDir: string;
  readonly processedInput: { readonly commands: readonly string[] };
};
type Options = { readonly stage?: string; readonly region?: string; readonly 'aws-profile'?: string };
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
  readonly #region: string | undefined;
  #parts: Promise<ReturnType<typeof generated> | typeof nothing> | undefined;
  #refusal: ConfigurationRefused | null = null;

  constructor({ serviceDir, processedInput }: Serverless, options: Options) {
    const { stage = 'dev', region, 'aws-profile': profile } = options;
    this.#root = serviceDir;
    this.#stage = stage;
    this.#region = region;
    if (profile !== undefined) process.env.AWS_PROFILE = profile;
    const deploys = processedInput.commands.join(' ') === 'deploy';
    this.hooks = {
      initialize: () => this.#refuse(deploys),
      'before:package:createDeploymentArtifacts': () => this.#build(),
      'after:deploy:finalize': () => this.#smoke(),
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
  async #refuse(deploys: boolean): Promise<void> {
    try {
      if (this.#refusal !== null) throw this.#refusal;
      if (deploys) await this.#refuseDeployment();
    } catch (error) {
      if (!(error instanceof ConfigurationRefused)) throw error;
      throw mendable(error.message);
    }
  }

  /** What may be packaged and tried is not always to be deployed. */
  async #refuseDeployment(): Promise<void> {
    const stage = readStage(this.#root, this.#stage);
    const path = relative(this.#root, this.#configuration());
    if (path.startsWith('examples/')) {
      throw new ConfigurationRefused(
        `there is no switchback.yml, and ${path} names services of nobody: write yours, see docs/deploy.md`,
      );
    }
    const place = placeInStage(this.#root, stage.name, 'account');
    await refuseOtherAccounts({ ...stage, region: this.#region ?? stage.region }, place);
  }

  /** @throws Error when the stage was deployed and does not stand */
  async #smoke(): Promise<void> {
    const stage = readStage(this.#root, this.#stage);
    const findings = await smokeCheck({ region: this.#region ?? stage.region }, stage.name);
    for (const { what, ok, said } of findings) console.log(`${ok ? 'ok    ' : 'FAILED'}  ${what}: ${said}`);
    if (findings.every(({ ok }) => ok)) return;
    throw mendable(`stage ${stage.name} was deployed and does not stand: see the lines above`);
  }

  async #deployment(): Promise<Deployment> {
    const stage = readStage(this.#root, this.#stage);
    // Where references of the configuration are read, here and by the build.
    process.env.AWS_REGION = this.#region ?? stage.region;
    const configuration = await compileConfiguration(this.#configuration(), stage.name);
    const variables = layeredVariables(process.env);
    refuseVariables(configuration, variables);
    const { bridge: settings } = configuration.deployment;
    const bridge = settings === undefined ? null : await bridgeDeployment(settings, this.#configuration());
    return { stage, configuration, dist: dist(), variables, bridge };
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
    // References may lead elsewhere by now, which no stamp of files can know.
    const refers = referencesIn(parse(readFileSync(this.#configuration(), 'utf8'))).length > 0;
    if (!refers && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
    const words = ['--config', this.#configuration(), '--out', dist(), '--stage', this.#stage];
    await promisify(execFile)(process.execPath, ['scripts/build.mjs', ...words], { cwd: this.#root });
  }
}

/** Handlers are named by this path, so it is one below the project's root. */
const dist = (): string => process.env.SWITCHBACK_DIST ?? 'dist';

/** Errors of this name are the user's to mend, and osls shows them without a stack. */
const mendable = (sentence: string) => Object.assign(new Error(sentence), { name: 'ServerlessError' });

// osls takes what `require` gives; an ES module gives it under this name (Node's `require(esm)`).
export { SwitchbackPlugin as 'module.exports' };
