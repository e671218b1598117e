import { expect, it } from 'vitest';
import type { OperationEvent } from '../../../events/operation.ts';
import { operationNotice } from '../../../lib/core/notices/operationNotice.ts';
import { toPeople } from '../../../lib/flows/subscribers.ts';
import { sample } from '../events/payloads.ts';

const recorded = (type: string) => ({
  ...{
    version: 3,
    id: 'operation/copy#3',
    schema: 1,
    commandId: 'x',
    correlationId: 'c',
    actor: 'ada',
    hash: '',
  },
  event: sample(`${type}.1`) as OperationEvent,
});

it('pages where something goes back or waits, tells of an end, and is silent about the steps', () => {
  const told = (type: string) => operationNotice(recorded(type).event);
  expect(told('OperationTakeBackInitiated')).toEqual({
    subject: 'copy-ORDERS-into-MisterSmithStreams: taking back',
    sentence:
      'taking back copy, by switchback: copy: sequences 1000–1999 differ: 1000 messages in the stream, 999 in the table',
    urgency: 'page',
  });
  expect(told('OperationHeld')).toMatchObject({
    urgency: 'page',
    sentence: expect.stringMatching(/^held: copy/),
  });
  expect(told('OperationCompleted')).toMatchObject({ urgency: 'tell' });
  expect(told('StepApplied')).toBeNull();
});

it('reaches people with the operation as an attribute to filter by', async () => {
  const sent: unknown[] = [];
  const people = toPeople({ notify: async (message) => void sent.push(message) });
  for (const type of ['StepVerified', 'OperationTakenBack']) {
    await people.handle('operation/copy-ORDERS', recorded(type), []);
  }
  expect(sent).toMatchObject([
    {
      subject: 'copy-ORDERS-into-MisterSmithStreams: taken back',
      body: { operation: 'copy-ORDERS', version: 3, sentence: 'taken back: it is as it was before' },
      attributes: {
        operation: 'copy-ORDERS',
        type: 'OperationTakenBack',
        urgency: 'tell',
        correlationId: 'c',
      },
    },
  ]);
});
