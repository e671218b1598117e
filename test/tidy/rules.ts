/** Every rule that the house is held to. */
import { agreementRules } from './agreements.ts';
import { banRules } from './bans.ts';
import { documentRules } from './documents.ts';
import type { Rule } from './house.ts';
import { lengthRules } from './lengths.ts';
import { moduleRules } from './modules.ts';
import { nameRules } from './names.ts';
import { sampleRules } from './samples.ts';

export const rules: readonly Rule[] = [
  ...banRules,
  ...nameRules,
  ...lengthRules(),
  ...moduleRules,
  ...documentRules,
  ...agreementRules,
  ...sampleRules,
];
