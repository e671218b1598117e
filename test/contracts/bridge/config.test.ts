import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigRefused, loadPlan, parsePlan } from '../../../lib/apps/bridge/loadConfig.ts';
import { bridgeCommand } from '../../../lib/apps/bridge/main.ts';

const EXAMPLE = new URL('../../../examples/mistersmith/bridge.yml', import.meta.url).pathname;
const GOOD = `version: 1
nats: { servers: [nats://localhost:4222] }
sources:
  - stream: MIG
    durable: bridge
    filter: "mig.>"
dlq: { sqs: dead }
rules:
  - match: "mig.*.found"
    to:
      eventbridge:
        source: s
        detailType: "{{wildcard(1)}}"
`;

/** What is said about the text with one piece exchanged. */
function faults(from: string, to: string): string {
  expect(GOOD).toContain(from);
  try {
    parsePlan(GOOD.replace(from, to), 'bridge.yml');
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigRefused);
    return (error as Error).message;
  }
}

async function command(...args: string[]): Promise<{ code: number; lines: string }> {
  const lines: string[] = [];
  const code = await bridgeCommand(args, (line) => lines.push(line));
  return { code, lines: lines.join('\n') };
}

describe('a fault in the configuration is told with its line', () => {
  it.each([
    ['version: 1', 'version: 2', 'bridge.yml:1: version: '],
    [
      'durable: bridge',
      'durabel: bridge',
      "bridge.yml:5: sources.0.durabel: 'durabel' is not an option here",
    ],
    ['mig.*.found', 'mig..found', "bridge.yml:9: rules.0.match: 'mig..found' has an empty token"],
    [
      'wildcard(1)',
      'wildcard(2)',
      'bridge.yml:13: rules.0.to.eventbridge.detailType: wildcard: wildcard 2 is out of range',
    ],
    [
      'wildcard(1)',
      'wildcrd(1)',
      "bridge.yml:13: rules.0.to.eventbridge.detailType: 'wildcrd' is not a function here",
    ],
    [
      '        source: s',
      '        source: aws.s',
      "bridge.yml:12: rules.0.to.eventbridge.source: a source must not begin with 'aws.'",
    ],
    ['dlq: { sqs: dead }', '', "has no 'dlq'"],
    ['dlq: { sqs: dead }', 'dlq: { sqs: [dead }', 'bridge.yml:7: '],
    ['filter: "mig.>"', 'filter: "other.>"', 'bridge.yml:9: rules.0.match: no source delivers'],
  ])('%j as %j', (from, to, expected) => {
    expect(faults(from, to)).toContain(expected);
  });

  it('which is nowhere in a good one', () => {
    expect(parsePlan(GOOD, 'bridge.yml').rules).toHaveLength(1);
  });

  it('several at once', () => {
    const text = GOOD.replace('wildcard(1)', 'wildcard(4)').replace('source: s', 'source: "{{nope}}"');
    expect(() => parsePlan(text, 'b')).toThrow(/b:12: .*\nb:13: /s);
  });
});

describe('the command', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bridge-'));
    await writeFile(join(directory, 'bad.yml'), GOOD.replace('version: 1', 'version: 3'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("check accepts MisterSmith's example", async () => {
    expect(await command('check', '--config', EXAMPLE)).toMatchObject({
      code: 0,
      lines: expect.stringContaining('4 rules'),
    });
    expect((await loadPlan(EXAMPLE)).targets.map(({ key }) => key)).toContain('eventbridge:mistersmith');
  });

  it('explain shows where a subject of the example goes, by header', async () => {
    const urgent = await command(
      'explain',
      'discoveries.agent-3.new-insight',
      '--config',
      EXAMPLE,
      '--header',
      'x-priority=urgent',
    );
    expect(urgent.lines).toContain('takes     urgent');
    expect(urgent.lines).toContain('subject NewInsight found by agent-3');
    const plain = await command('explain', 'discoveries.agent-3.new-insight', '--config', EXAMPLE);
    expect(plain.lines).toContain('passed    urgent');
    expect(plain.lines).toContain('type    DiscoveryNewInsight');
  });

  it('explain names the lane, and the id by the stream that carries the subject', async () => {
    const { lines } = await command('explain', 'orders.agent-3.stop', '--config', EXAMPLE, '--seq', '17');
    expect(lines).toContain('lane    agent-3');
    expect(lines).toContain('dedup   ORDERS.17');
  });

  it.each([
    [['check', '--config', '/nowhere.yml'], 2, 'ENOENT'],
    [['check', '--nonsense'], 2, 'usage:'],
    [['explain'], 2, 'usage:'],
    [['dance'], 2, 'usage:'],
  ])('%j ends with %d', async (args, code, said) => {
    expect(await command(...args)).toMatchObject({ code, lines: expect.stringContaining(said) });
  });

  it('a refused configuration ends with 2 and its faults', async () => {
    const file = join(directory, 'bad.yml');
    expect(await command('run', '--config', file)).toMatchObject({
      code: 2,
      lines: expect.stringContaining('bad.yml:1: version'),
    });
  });
});
