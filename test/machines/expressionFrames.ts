/** What an expression sees, made by hand, and what jsonata itself answers to it there. */
import jsonata from 'jsonata';
import type { EvaluationFrame, Variables } from '../../lib/asl/evaluationFrame.ts';
import { copyJson, type Json } from '../../lib/asl/json.ts';

export function frameOf(variables: Variables, input: Json, result: Json | undefined): EvaluationFrame {
  return {
    input,
    result,
    context: { a: [1, { b: 2 }] },
    variables,
    chance: { random: () => 0, uuid: () => '' },
    now: () => 0,
  };
}

/** Parsed once: parsing takes longer than answering. */
const parsed = new Map<string, jsonata.Expression>();

export async function byJsonata(text: string, frame: EvaluationFrame): Promise<unknown> {
  const states: Record<string, unknown> = { input: frame.input, context: frame.context };
  if (frame.result !== undefined) states.result = frame.result;
  if (frame.errorOutput !== undefined) states.errorOutput = frame.errorOutput;
  const expression = parsed.get(text) ?? jsonata(text);
  parsed.set(text, expression);
  const answer = await expression.evaluate(undefined, { ...frame.variables, states });
  return answer === undefined ? undefined : copyJson(answer);
}
