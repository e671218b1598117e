/** Every rule that the house is held to. */
import { agreementRules } from './agreements.ts';
import { banRules } from './bans.ts';
import { documentRules } from './documents.ts';
import type { Rule } from './house.ts';
import { lengthRules } from './lengths.ts';
import { moduleRules } from './modules.ts';
import { nameRules } from './names.ts';
import { sampleRules } from './samples.ts';

/** @param lengths how long a file and a function may be, with or without what the ratchet still allows */
const rulesWith = (lengths: readonly Rule[]): readonly Rule[] => [
  ...banRules,
  ...nameRules,
  ...lengths,
  ...moduleRules,
  ...documentRules,
  ...agreementRules,
  ...sampleRules,
];

export const rules = rulesWith(lengthRules());

/** As they are for a house that the ratchet does not know. */
export const rulesAnywhere = rulesWith(lengthRules({ fileLines: {}, functionLines: {} }));
