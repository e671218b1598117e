/** The interpreter's history in the shape of GetExecutionHistory, with its values as text. */
import type { HistoryEvent as SdkEvent } from '@aws-sdk/client-sfn';
import type { HistoryDetails, HistoryEvent } from '../../asl/history.ts';
import type { Json } from '../../asl/json.ts';

/** `region` is that of the task's call; without `withData` inputs, outputs and variables are left out. */
export function sdkEvent(event: HistoryEvent, region: string, withData: boolean): SdkEvent {
  const { id, previousEventId, at, type, details } = event;
  return {
    id,
    previousEventId,
    type: type as NonNullable<SdkEvent['type']>,
    timestamp: new Date(at),
    ...(details === undefined ? {} : { [detailsMember(type)]: detailsOf(details, region, withData) }),
  };
}

/** Where the SDK has the details of a type that has any. */
function detailsMember(type: string): string {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

function detailsOf(details: HistoryDetails, region: string, withData: boolean): Record<string, unknown> {
  const { input, output, parameters, assignedVariables, ...plain } = details;
  const written: Record<string, unknown> = { ...plain };
  if (parameters !== undefined) Object.assign(written, { parameters: JSON.stringify(parameters), region });
  if (input !== undefined) Object.assign(written, text('input', input, withData));
  if (output !== undefined) Object.assign(written, text('output', output, withData));
  if (assignedVariables !== undefined) {
    const variables = Object.entries(assignedVariables as Record<string, Json>);
    if (withData) {
      written.assignedVariables = Object.fromEntries(
        variables.map(([name, value]) => [name, JSON.stringify(value)]),
      );
    }
    written.assignedVariablesDetails = { truncated: false };
  }
  return written;
}

const text = (name: 'input' | 'output', value: Json, withData: boolean) => ({
  ...(withData ? { [name]: JSON.stringify(value) } : {}),
  [`${name}Details`]: { truncated: false },
});
