/** What loading says to a definition. */
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { MachineRefused } from '../../lib/asl/refusal.ts';
import { machineOf } from './runMachine.ts';

export const end = { End: true };
export const pass = { Type: 'Pass', ...end };
export const scope = (startAt: string, states: object) => ({ StartAt: startAt, States: states });
/** A machine of one state, A. */
export const state = (fields: object) => machineOf('A', { A: fields });

/** The sentence a definition is refused with. */
export function refusal(definition: unknown, substitutions?: Record<string, string>): string {
  try {
    loadMachine(definition, substitutions === undefined ? {} : { substitutions });
  } catch (error) {
    if (error instanceof MachineRefused) return error.message;
    throw error;
  }
  throw new Error('the machine was accepted');
}
