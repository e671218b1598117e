/** What editors show is what is refused. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileConfiguration } from '../../../lib/apps/configure/compile.ts';
import { configurationSchema } from '../../../lib/apps/configure/schema.ts';
import { iamTable } from '../../../lib/apps/deploy/iamTable.ts';
import { readStage } from '../../../lib/apps/deploy/stage.ts';
import { LayeredFile } from '../../../lib/core/config/layeredFile.ts';
import { problemOf } from '../../../lib/core/config/problem.ts';
import { repositoryRoot } from '../../tidy/plant.ts';

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema
const schema = configurationSchema() as any;
const service = () => schema.properties.services.additionalProperties;

describe('docs/security.md', () => {
  it('has the rights of today’s roles; else: npm run reference', async () => {
    const configuration = await compileConfiguration('examples/mistersmith/switchback.yml', 'prod');
    const stage = readStage(repositoryRoot, 'prod');
    const table = iamTable({ stage, configuration, dist: 'dist', variables: {} });
    expect(readFileSync(join(repositoryRoot, 'docs/security.md'), 'utf8')).toContain(`\n${table}\n`);
    expect(table).toMatch(/\| sns:Publish \| `NotificationTopic` \| publish-events \|/);
  });
});

describe('docs/switchback.schema.json', () => {
  it('is what the configuration’s schema says today; else: npm run reference', () => {
    const kept = readFileSync(join(repositoryRoot, 'docs/switchback.schema.json'), 'utf8');
    expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('is named by the first line of every example', () => {
    const examples = join(repositoryRoot, 'examples');
    for (const example of readdirSync(examples)) {
      const [line] = readFileSync(join(examples, example, 'switchback.yml'), 'utf8').split('\n');
      expect([example, line]).toEqual([
        example,
        '# yaml-language-server: $schema=../../docs/switchback.schema.json',
      ]);
    }
  });

  it('refuses unknown keys, and asks for nothing that has a default', () => {
    expect(schema.additionalProperties).toBe(false);
    expect(service().additionalProperties).toBe(false);
    expect(service().required).toEqual(['target']);
    expect(service().properties.analysis.additionalProperties).toBe(false);
  });

  it('shows defaults and what each key is for', () => {
    const { strategy, analysis } = service().properties;
    expect(strategy.properties.startPercent).toMatchObject({ default: 5, description: 'The first step.' });
    expect(analysis.properties.unknown.properties.answer.enum).toContain('roll-back');
    expect(analysis.properties).not.toHaveProperty('objective');
  });
});

describe('rollbacksPerDayMax', () => {
  it('is refused in one sentence where it is more than is remembered', () => {
    const read = LayeredFile.safeParse({ rollbacksPerDayMax: 6 });
    expect(read.error?.issues.map(problemOf)).toEqual([
      { path: ['rollbacksPerDayMax'], sentence: 'no more than 5 rollbacks of a service are remembered.' },
    ]);
    expect(LayeredFile.safeParse({ rollbacksPerDayMax: 5 }).success).toBe(true);
  });
});
