/** A definition as clients send it: text, that is read and loaded before anything is kept. */
import { loadMachine } from '../../asl/loadMachine.ts';
import type { Machine } from '../../asl/machine.ts';
import { MachineRefused } from '../../asl/refusal.ts';

export type Diagnostic = {
  readonly severity: 'ERROR';
  readonly code: 'INVALID_JSON_DESCRIPTION' | 'SCHEMA_VALIDATION_FAILED';
  readonly message: string;
  /** A JSON pointer into the definition. */
  readonly location?: string;
};

/** The machine, or what is wrong with its definition. */
export function readDefinition(
  text: string,
): { readonly machine: Machine } | { readonly diagnostic: Diagnostic } {
  let definition: unknown;
  try {
    definition = JSON.parse(text);
  } catch (error) {
    const message = text === '' ? 'Definition must be a valid JSON object' : (error as Error).message;
    return { diagnostic: { severity: 'ERROR', code: 'INVALID_JSON_DESCRIPTION', message } };
  }
  try {
    return { machine: loadMachine(definition) };
  } catch (error) {
    if (!(error instanceof MachineRefused)) throw error;
    const location = `/${error.path.join('/')}`;
    return {
      diagnostic: { severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED', message: error.sentence, location },
    };
  }
}
