import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { simulateArguments } from '../../lib/apps/simulate/arguments.ts';
import { drawScenario } from '../../lib/apps/simulate/draw.ts';
import { shortDay } from '../../lib/apps/simulate/exhaustive/shortDays.ts';
import type { Scenario } from '../../lib/apps/simulate/scenario.ts';
import { sceneText } from '../../lib/apps/simulate/sceneText.ts';
import { shrink } from '../../lib/apps/simulate/shrink.ts';
import { supplyOf } from '../../lib/apps/simulate/supply.ts';

const read = (...argv: readonly string[]) => simulateArguments(argv, () => 42);

describe('the command', () => {
  it('runs one seed that is named, and a thousand from a fresh one otherwise', () => {
    expect(read('--seed', '7')).toMatchObject({ what: 'seeds', seed: 7, seeds: 1, minutes: null });
    expect(read()).toMatchObject({ seed: 42, seeds: 1000 });
    expect(read('--minutes', '5')).toMatchObject({ seed: 42, seeds: 2 ** 31 - 1, minutes: 5 });
  });

  it.each([
    [['--seeds', 'many'], '--seeds many: a whole number from 1 to 2147483647 is wanted.'],
    [['--depth', '9'], '--depth 9: a whole number from 1 to 4 is wanted.'],
    [['--minutes', '0'], '--minutes 0: a number above 0 is wanted.'],
    [['--crashes', '--deliveries'], '--crashes and --deliveries: one at a time.'],
    [['--sede', '7'], "Unknown option '--sede'"],
  ])('says what is wrong with %j', (argv, sentence) => {
    expect(() => read(...argv)).toThrow(sentence);
  });

  it('takes the seeds one after the other, and what came of a run after them', async () => {
    const supply = supplyOf(read('--seed', '5', '--seeds', '2'));
    supply.add([{ kind: 'seed', seed: 99 }]);
    const jobs = [await supply.take(), await supply.take(), await supply.take(), await supply.take()];
    expect(jobs.map((job) => (job?.kind === 'seed' ? job.seed : null))).toEqual([5, 6, 99, null]);
  });
});

describe('a day that fails', () => {
  it('is printed as a test that plays just that day', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const scenario = drawScenario(seed);
      const text = sceneText(scenario, 'some check');
      const given: unknown[] = [];
      const facts: (() => void)[] = [];
      runInNewContext(text, {
        it: (_: string, fact: () => void) => facts.push(fact),
        play: (scene: unknown) => given.push(scene),
      });
      for (const fact of facts) fact();
      expect(JSON.stringify(given)).toBe(JSON.stringify([scenario]));
    }
  });

  it('is made short: of all that happens and fails in it only what it needs is left', async () => {
    const day = shortDay('promoted');
    const ghost = { atSeconds: 40, what: 'lose-tasks', service: 'ghost', slot: 'blue', tasks: 1 } as const;
    const busy: Scenario = {
      ...day,
      skewMsMax: 200,
      happenings: [
        ...day.happenings,
        { atSeconds: 20, what: 'autoscale', service: 'shop', slot: 'blue', tasks: 4 },
        ghost,
        { atSeconds: 60, what: 'deploy' },
      ],
      faults: [
        { on: 'traffic.read', kind: 'refuse', share: 0.2 },
        { on: 'store.*', kind: 'slow', ms: 50, share: 0.3 },
      ],
    };
    const { scenario } = await shrink(busy, 'the run comes to an end');
    expect(scenario).toMatchObject({ happenings: [ghost], faults: [], alarms: [], skewMsMax: 0 });
  });
});
