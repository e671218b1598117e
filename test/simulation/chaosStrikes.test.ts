/** The strikes that chaos deals: every kind comes to be dealt, and the table says which one did not. */
import { describe, expect, it } from 'vitest';
import { Strikes } from '../../lib/apps/chaos/strikes.ts';
import { Faults } from '../../lib/local/faults.ts';
import { SeededRandom } from '../../lib/sim/random.ts';

const call = (service: string) => ({ service, operation: 'Any', input: {}, caller: 'fn-any-1' });

describe('strikes', () => {
  it('come to be of every kind at every service, however seldom it is called', () => {
    const faults = new Faults(1);
    const strikes = new Strikes(faults, new SeededRandom(1));
    for (let nth = 0; nth < 800; nth++) {
      const { end } = strikes.begin();
      for (const service of ['dynamodb', 'dynamodb', 'dynamodb', 'ecs', 'sns']) faults.strike(call(service));
      end();
    }
    const table = strikes.table();
    const cellsOf = (service: string) =>
      table
        .find((row) => row.startsWith(service))
        ?.trim()
        .split(/\s+/);
    for (const service of ['dynamodb', 'ecs', 'sns']) expect(cellsOf(service)).not.toContain('-');
    expect(table.at(-1)).toBe('every kind was dealt');
    expect(faults.strikes).toEqual([]);
  });

  it('that were never dealt are named', () => {
    const faults = new Faults(1);
    const strikes = new Strikes(faults, new SeededRandom(1));
    faults.add({ fault: { kind: 'half' } });
    faults.strike(call('dynamodb'));
    expect(strikes.table().at(-1)).toBe('NEVER DEALT: throttled, 5xx, reset, slow, done+err, late, killed');
  });
});
