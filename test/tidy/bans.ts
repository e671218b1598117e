/** What is not written here, and what is written instead. One row is one rule. */
import { type Finding, type House, isProgram, lineAt, type Rule, type Source } from './house.ts';

type Ban = {
  readonly name: string;
  readonly pattern: RegExp;
  /** `code`: a program without its comments and literals; `text`: any file as it stands. */
  readonly in: 'code' | 'text';
  readonly where: RegExp;
  readonly except?: RegExp;
  readonly instead: string;
};

/** Where time, chance and the environment are arguments. */
const DECIDES = /^(?:events|lib\/core|lib\/flows)\//;
/** … and where at least time and chance are, so that a seed and a clock repeat everything. */
const REPEATS = /^(?:events|lib\/(?:core|flows|sim|asl))\//;
const REAL_CLOCK = /^lib\/asl\/clock\.ts$/;
const PROGRAMS = /./;
const TESTS = /^(?:test|bench)\//;
/** Files of tools that ask for a default export. */
const TOOL_CONFIGURATION = /^[^/]+\.config\.ts$/;
/** The rules name what they ban. */
const THE_RULES = /^test\/tidy/;

const bans: readonly Ban[] = [
  {
    name: 'no Date.now where time is an argument',
    pattern: /\bDate\.now\b|\bperformance\.now\b/,
    in: 'code',
    where: REPEATS,
    except: REAL_CLOCK,
    instead: 'take `now` from the command or ask the clock',
  },
  {
    name: 'no new Date() where time is an argument',
    pattern: /\bnew Date\(\s*\)|(?<!new )(?<![.\w])Date\(\s*\)/,
    in: 'code',
    where: REPEATS,
    except: REAL_CLOCK,
    instead: 'take `now` from the command or ask the clock',
  },
  {
    name: 'no Math.random where chance is an argument',
    pattern: /\bMath\.random\b/,
    in: 'code',
    where: /^(?:events|lib\/(?:core|flows|sim))\//,
    instead: 'take chance from the command or from a seeded generator',
  },
  {
    name: 'no timers where time is an argument',
    pattern: /\bset(?:Timeout|Interval)\b/,
    in: 'code',
    where: REPEATS,
    except: REAL_CLOCK,
    instead: 'ask the clock to schedule it',
  },
  {
    name: 'no process.env in what decides',
    pattern: /\bprocess\.env\b/,
    in: 'code',
    where: DECIDES,
    instead: 'read the environment in functions/ or lib/apps/ and pass the value',
  },
  {
    name: 'no console in what decides',
    pattern: /\bconsole\./,
    in: 'code',
    where: DECIDES,
    instead: 'answer a value, or write to the Log port',
  },
  {
    // Up to 59 ms is the pause of something that looks for an event, over and over, with a deadline.
    name: 'no sleeping in tests',
    pattern:
      /\bsetTimeout\(\s*(?:resolve|done|res|r|ok)\b(?!\s*,\s*[1-5]?\d\))|\bsleep\(\s*(?:realClock|\d)|\bAtomics\.wait\b/,
    in: 'code',
    where: TESTS,
    instead: 'move a VirtualClock, or wait for the event with until() of test/until.ts',
  },
  {
    name: 'no sleeping with node:timers/promises in tests',
    pattern: /['"](?:node:)?timers\/promises['"]/,
    in: 'text',
    where: TESTS,
    except: THE_RULES,
    instead: 'move a VirtualClock, or wait for the event with until() of test/until.ts',
  },
  {
    name: 'no module mocks',
    pattern: /\bvi\.(?:mock|doMock|unmock|hoisted)\b/,
    in: 'code',
    where: PROGRAMS,
    instead: 'pass a world of lib/sim, or a fake of the few methods that are used',
  },
  {
    name: 'no SDK mocks outside the contracts',
    pattern: /['"]aws-sdk-client-mock/,
    in: 'text',
    where: /\.ts$/,
    except: /^test\/(?:contracts|tidy)/,
    instead: 'run against lib/sim or lib/local; only the contract test of an adapter of ours mocks a client',
  },
  {
    name: 'no skipped or single tests',
    pattern: /\.(?:skip|only|todo)\b|\bx(?:it|describe)\(|\bf(?:it|describe)\(/,
    in: 'code',
    where: /^test\/.*\.ts$/,
    instead: 'write the test, or delete it',
  },
  {
    name: 'test names are facts',
    pattern: /\b(?:it|test)(?:\.each\([^)]*\))?\(\s*['"`]should\b/,
    in: 'text',
    where: /^test\/.*\.ts$/,
    except: THE_RULES,
    instead: 'state what happens: "promotes after the last step"',
  },
  {
    name: 'no default exports',
    pattern: /\bexport default\b/,
    in: 'code',
    where: PROGRAMS,
    except: TOOL_CONFIGURATION,
    instead: 'export it by its name',
  },
  {
    name: 'no barrels',
    pattern: /\bexport \*/,
    in: 'code',
    where: PROGRAMS,
    instead: 'import from the file that has it',
  },
  {
    name: 'no unexplained silence of the type checker',
    pattern: /@ts-(?:ignore|nocheck)|@ts-expect-error\s*$/m,
    in: 'text',
    where: /\.ts$/,
    except: THE_RULES,
    instead: 'use @ts-expect-error with the reason behind it',
  },
  {
    name: 'nothing left to do',
    pattern: /\b(?:TODO|FIXME|XXX)\b/,
    in: 'text',
    where: PROGRAMS,
    except: THE_RULES,
    instead: 'do it, or file it where work is planned',
  },
  {
    name: 'no machine’s own paths',
    pattern: /(?<![\w.:/$}-])\/(?:work|root|Users\/\w+|home\/\w+)\/[\w.]/,
    in: 'text',
    where: PROGRAMS,
    except: THE_RULES,
    instead: 'start from import.meta.dirname or the current folder',
  },
  {
    name: 'no folder for temporary files by its path',
    pattern: /['"`]\/tmp\//,
    in: 'text',
    where: TESTS,
    except: THE_RULES,
    instead: 'use a folder of its own under os.tmpdir()',
  },
  {
    name: 'no registry’s host',
    pattern:
      /https?:\/\/[^\s"'`]*(?:npmjs|registry|artifactory|nexus|verdaccio|pypi|deb\.debian)[^\s"'`]*|^registry\s*=/m,
    in: 'text',
    where: PROGRAMS,
    except: THE_RULES,
    instead: 'leave it to the machine’s own npm and apt settings',
  },
];

function findBan(ban: Ban, { sources }: House): Finding[] {
  const concerns = (source: Source) =>
    ban.where.test(source.path) &&
    !ban.except?.test(source.path) &&
    (ban.in === 'text' ? source.path !== 'package-lock.json' : isProgram(source));
  return sources.filter(concerns).flatMap((source) => {
    const pattern = new RegExp(ban.pattern, `g${ban.pattern.flags}`);
    return [...source[ban.in].matchAll(pattern)].map((match) => ({
      path: source.path,
      line: lineAt(source.text, match.index),
      says: `\`${match[0].trim()}\`: ${ban.instead}`,
    }));
  });
}

export const banRules: readonly Rule[] = bans.map((ban) => ({
  name: ban.name,
  find: (house) => findBan(ban, house),
}));
