import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { portsOf } from '../../lib/apps/simulate/functions.ts';

/**
 * `world` in the handler, with what is added to it for each call; the two ports of publish-events'
 * subscribers stand outside it.
 */
function portsInHandler(name: string): string[] {
  const file = new URL(`../../functions/${name}/handler.ts`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const world = /^const world = \{\n([\s\S]*?)^\};/m.exec(text)?.[1] ?? '';
  const added = [...text.matchAll(/\{ \.\.\.world, (\w+): /g)].map((match) => match[1] as string);
  return [...[...world.matchAll(/^ {2}(\w+)[:,]/gm)].map((match) => match[1] as string), ...added];
}

it.each(Object.entries(portsOf))(
  '%s is simulated with just the ports that its handler gives it',
  (name, ports) => {
    const given = ports.filter((port) => port !== 'bus' && port !== 'people');
    expect([...given].sort()).toEqual(portsInHandler(name).sort());
  },
);
