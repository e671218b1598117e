/**
 * The rules of the house as tests. Each finding names the place and what to write instead; test/tidy/ holds
 * the rules, and proofs.ts a planted violation for every one of them.
 */
import { describe, expect, it } from 'vitest';
import { houseOf, readHouse, show } from './tidy/house.ts';
import { plant, repositoryRoot } from './tidy/plant.ts';
import { proofs } from './tidy/proofs.ts';
import { rules, rulesAnywhere } from './tidy/rules.ts';

const house = readHouse(repositoryRoot);

describe('the house', () => {
  it.each(rules)('holds to: $name', async ({ find }) => {
    expect((await find(house)).map(show)).toEqual([]);
  });
});

describe('a planted violation', () => {
  it('exists for every rule', () => {
    expect(Object.keys(proofs).sort()).toEqual(rules.map(({ name }) => name).sort());
  });

  it.each(rulesAnywhere)('is caught, and its lawful neighbour is not, by: $name', async ({ name, find }) => {
    const { caught, clean, onDisk = false } = proofs[name] as (typeof proofs)[string];
    const houseWith = (files: Readonly<Record<string, string>>) =>
      houseOf(files, onDisk ? plant(files, { packages: true }) : '');

    for (const [expected, files] of caught) {
      expect((await find(houseWith(files))).map(({ path, line }) => `${path}:${line}`)).toEqual([expected]);
    }
    expect((await find(houseWith(clean))).map(show)).toEqual([]);
  });
});
