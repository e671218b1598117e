/** Rollout requests on the event bus, in the form everybody sends them. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { requestDetailType } from '../../events/request.ts';
import type { Requests } from '../ports.ts';
import { putEvent } from './putEvent.ts';

export const eventBridgeRequests = (client: EventBridgeClient, EventBusName: string): Requests => ({
  send: (request) =>
    putEvent(client, {
      EventBusName,
      Source: 'switchback.request',
      DetailType: requestDetailType,
      Detail: JSON.stringify(request),
    }),
});
