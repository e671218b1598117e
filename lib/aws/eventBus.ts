/** Our events on EventBridge: the detail type is the event's, the detail its whole record. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { EventBus } from '../ports.ts';
import { putEvent } from './putEvent.ts';

export const eventBridgeBus = (client: EventBridgeClient, EventBusName: string): EventBus => ({
  publish: (stream, recorded) =>
    putEvent(client, {
      EventBusName,
      Source: 'switchback',
      DetailType: recorded.event.type,
      Time: new Date(recorded.event.at),
      Detail: JSON.stringify({ stream, ...recorded }),
    }),
});
