/**
 * Our own bus, and who may put what on it. A requester's events carry its `source`, and only its principal
 * may send that source: so the source in a recorded request says who asked, and nobody can say it in
 * another's place.
 */
import { att, type Cfn, type Resources, ref, roleId } from './cloudFormation.ts';
import { type Deployment, prefixOf } from './deployment.ts';
import { deployedFunctions } from './functions.ts';
import { rights } from './rights.ts';
import { requestDetailTypes } from './triggers.ts';

export function eventBusResources(deployment: Deployment): Resources {
  return {
    EventBus: {
      Type: 'AWS::Events::EventBus',
      Properties: { Name: prefixOf(deployment), Description: 'Requests to Switchback, and what it did.' },
    },
    ...policies(deployment),
  };
}

function policies(deployment: Deployment): Resources {
  const requesters = Object.entries(deployment.stage.requesters);
  const statements = [
    onlyOurselves,
    ...requesters.map(allow),
    ...requesters.map(denyOthers),
    ...(requesters.length === 0 ? [] : [denyUnnamed(requesters)]),
  ];
  return Object.fromEntries(
    statements.map((Statement) => [
      `EventBusPolicy${String(Statement.Sid)}`,
      {
        Type: 'AWS::Events::EventBusPolicy',
        Properties: { EventBusName: ref('EventBus'), StatementId: String(Statement.Sid), Statement },
      },
    ]),
  );
}

type Requester = readonly [source: string, principal: string];
type Statement = { readonly Sid: string } & { readonly [key: string]: Cfn };

const base = { Action: 'events:PutEvents', Resource: att('EventBus', 'Arn') };

const allow = ([source, principal]: Requester, index: number): Statement => ({
  ...base,
  Sid: `Requester${index + 1}`,
  Effect: 'Allow',
  Principal: { AWS: principal },
  Condition: {
    StringEquals: { 'events:source': source, 'events:detail-type': requestDetailTypes },
  },
});

/** What Switchback says itself, and what it asks of itself, comes from its own functions. */
const onlyOurselves: Statement = {
  ...base,
  Sid: 'OnlyOurselves',
  Effect: 'Deny',
  Principal: '*',
  Condition: {
    StringEquals: { 'events:source': ['switchback', 'switchback.request'] },
    ArnNotEquals: {
      'aws:PrincipalArn': Object.entries(deployedFunctions)
        .filter(([, deployed]) => deployed.rights.includes(rights.eventBus))
        .map(([verb]) => att(roleId(verb), 'Arn')),
    },
  },
};

/** Deny wins over what the account's own policies allow: not even an administrator speaks in this name. */
const denyOthers = ([source, principal]: Requester, index: number): Statement => ({
  ...base,
  Sid: `OnlyRequester${index + 1}`,
  Effect: 'Deny',
  Principal: '*',
  Condition: {
    StringEquals: { 'events:source': source },
    ArnNotEquals: { 'aws:PrincipalArn': principal },
  },
});

/** A request under a source that nobody owns is refused at the bus. */
const denyUnnamed = (requesters: readonly Requester[]): Statement => ({
  ...base,
  Sid: 'OnlyNamedSources',
  Effect: 'Deny',
  Principal: '*',
  Condition: {
    StringEquals: { 'events:detail-type': requestDetailTypes },
    StringNotEquals: { 'events:source': [...requesters.map(([source]) => source), 'switchback.request'] },
  },
});
