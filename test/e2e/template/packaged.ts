/**
 * `sls package` for one stage and one example, offline and without credentials: the compiled template, and
 * the bundles beside it. Made once as long as nothing it is made of changes; test files take turns.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stampOf } from '../../../scripts/build/sources.mjs';
import { repositoryRoot as root, run } from '../../tidy/plant.ts';
import { until } from '../../until.ts';

export type Template = {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
};
export type TemplateResource = {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a resource's properties have its type's own shape
  readonly Properties: any;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export type Packaged = {
  readonly template: Template;
  /** The template's text, as CloudFormation gets it. */
  readonly templatePath: string;
  /** Folder of the bundles. */
  readonly dist: string;
  /** Folder of the zipped bundles. */
  readonly zips: string;
};

export type Example = 'mistersmith' | 'cloudshelf' | 'shop';

/** Under a loaded machine one packaging takes its time. */
export const packagingMs = 300_000;

export const packaged = (stage: string, example: Example): Promise<Packaged> =>
  packagedConfiguration(stage, example, `examples/${example}/switchback.yml`);

/** @param name of its folder among the packages @param configuration its path from the root */
export async function packagedConfiguration(
  stage: string,
  name: string,
  configuration: string,
): Promise<Packaged> {
  const work = `.switchback/packaged/${name}-${stage}`;
  const key = keyOf(configuration, stage);
  const keyFile = join(root, work, 'key');
  const fresh = () => existing(keyFile) === key;
  if (!fresh()) {
    const release = await hold(join(root, '.switchback/packaged/sls.lock'), fresh);
    try {
      if (!fresh()) {
        rmSync(keyFile, { force: true });
        await slsPackage(work, configuration, stage);
        writeFileSync(keyFile, key);
      }
    } finally {
      release();
    }
  }
  const zips = join(root, work, 'package');
  const templatePath = join(zips, 'cloudformation-template-update-stack.json');
  const template = JSON.parse(readFileSync(templatePath, 'utf8')) as Template;
  return { template, templatePath, dist: join(root, work, 'dist'), zips };
}

/** Another process may take the file away between a look and a read. */
function existing(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

async function slsPackage(work: string, configuration: string, stage: string): Promise<void> {
  const { PATH, HOME } = process.env;
  const env = {
    PATH: `${join(root, 'node_modules/.bin')}:${PATH}`,
    HOME,
    SWITCHBACK_CONFIG: configuration,
    SWITCHBACK_DIST: `${work}/dist`,
    // Nowhere to go: whoever needs the network fails here.
    HTTPS_PROXY: 'http://127.0.0.1:1',
    AWS_SHARED_CREDENTIALS_FILE: 'nowhere',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const words = ['package', '--stage', stage, '--package', `${work}/package`];
  const { status, output } = await run(join(root, 'node_modules/.bin/sls'), words, root, env);
  if (status !== 0) throw new Error(`sls package --stage ${stage} for ${configuration}:\n${output}`);
}

/** What a package is made of: the bundles' sources, and the template's. */
function keyOf(configuration: string, stage: string): string {
  const hash = createHash('sha256').update(stampOf(root, configuration, stage));
  for (const path of ['serverless.yml', 'stages', 'statemachines']) {
    for (const file of filesUnder(join(root, path))) hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

const filesUnder = (path: string): readonly string[] =>
  statSync(path).isFile() ? [path] : readdirSync(path).map((name) => join(path, name));

/**
 * One process at a time, whatever it packages: osls works in one folder of the project. A lock that was left
 * behind by a killed process is taken after its time.
 * @param done there is nothing to do any more: another process did it
 */
async function hold(lock: string, done: () => boolean): Promise<() => void> {
  mkdirSync(join(lock, '..'), { recursive: true });
  let taken = false;
  await until(
    `the lock ${lock}`,
    () => {
      if (done()) return true;
      try {
        if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > packagingMs / 2) {
          rmSync(lock, { recursive: true });
        }
        mkdirSync(lock);
        taken = true;
      } catch {
        // Somebody has it, or just gave it back.
        return false;
      }
      return true;
    },
    packagingMs,
  );
  return () => {
    if (taken) rmSync(lock, { recursive: true, force: true });
  };
}
