import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { portsOf } from '../../lib/apps/simulate/functions.ts';

/** `world` in the handler; the two ports of publish-events' subscribers stand outside it. */
function portsInHandler(name: string): string[] {
  const file = new URL(`../../functions/${name}/handler.ts`, import.meta.url);
  const world = /^const world = \{\n([\s\S]*?)^\};/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  return [...world.matchAll(/^ {2}(\w+)[:,]/gm)].map((match) => match[1] as string);
}

it.each(Object.entries(portsOf))(
  '%s is simulated with just the ports that its handler gives it',
  (name, ports) => {
    const given = ports.filter((port) => port !== 'bus' && port !== 'people');
    expect([...given].sort()).toEqual(portsInHandler(name).sort());
  },
);
