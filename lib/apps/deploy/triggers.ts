/**
 * What brings events to functions: rules with retries and dead letters, queues, the event table's stream, the
 * clock; and the rules that bring alarms to the alarm queue.
 */
import { migrationDetailType, migrationOperationDetailType } from '../../../events/migrationRequest.ts';
import { operationDetailType, requestDetailType } from '../../../events/request.ts';
import { att, type Cfn, functionArn, functionId, pascal, type Resources, ref } from './cloudFormation.ts';
import { type Deployment, prefixOf } from './deployment.ts';
import { deployedFunctions, type Trigger } from './functions.ts';

const deadLetters = att('DeadLetters', 'Arn');

/** EventBridge tries a target this long before the event becomes a dead letter. */
const rulePolicy = { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 60 };

export function triggerResources(deployment: Deployment): Resources {
  const entries = Object.entries(deployedFunctions).flatMap(([verb, { triggers }]) =>
    triggers.map((trigger) => resourcesOf(verb, trigger, deployment)),
  );
  return Object.assign({}, ...entries);
}

function resourcesOf(verb: string, trigger: Trigger, deployment: Deployment): Resources {
  switch (trigger.from) {
    case 'queue':
      return {
        [`${pascal(verb)}Messages`]: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: {
            FunctionName: functionArn(verb),
            EventSourceArn: att(trigger.queue, 'Arn'),
            BatchSize: trigger.batchSize,
            FunctionResponseTypes: ['ReportBatchItemFailures'],
          },
        },
      };
    case 'event-table':
      return { [`${pascal(verb)}Stream`]: streamMapping(verb) };
    case 'bus': {
      const pattern = { source: requestSources(deployment), 'detail-type': [trigger.detailType] };
      return rule(verb, deployment, { EventBusName: ref('EventBus'), EventPattern: pattern });
    }
    case 'clock':
      return rule(verb, deployment, { ScheduleExpression: trigger.rate });
    case 'person':
      return invokeConfig(verb, { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 0 });
  }
}

/** Those the stage names, and Switchback itself, which asks the same way as everybody. */
function requestSources({ stage }: Deployment): Cfn {
  const named = Object.keys(stage.requesters);
  return named.length === 0 ? [{ 'anything-but': ['switchback'] }] : [...named, 'switchback.request'];
}

function rule(verb: string, deployment: Deployment, when: Readonly<Record<string, Cfn>>): Resources {
  const id = `${pascal(verb)}Rule`;
  return {
    [id]: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: `${prefixOf(deployment)}-${verb}`,
        State: 'ENABLED',
        ...when,
        Targets: [
          {
            Id: verb,
            Arn: functionArn(verb),
            RetryPolicy: rulePolicy,
            DeadLetterConfig: { Arn: deadLetters },
          },
        ],
      },
    },
    [`${id}Permission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: functionArn(verb),
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: att(id, 'Arn'),
      },
    },
    ...invokeConfig(verb, triedAgain),
  };
}

/** A call that failed is tried twice more, within the hour; then it is kept. */
const triedAgain = {
  MaximumEventAgeInSeconds: 3600,
  MaximumRetryAttempts: 2,
  DestinationConfig: { OnFailure: { Destination: deadLetters } },
};

const invokeConfig = (verb: string, asynchronous: Readonly<Record<string, Cfn>>): Resources => ({
  [`${pascal(verb)}Retries`]: {
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: {
      FunctionName: ref(`${functionId(verb)}LambdaFunction`),
      Qualifier: '$LATEST',
      ...asynchronous,
    },
  },
});

/** Only HEAD items: chunks, plans, minutes and checkpoints are nobody's news. */
const headFilter = JSON.stringify({
  dynamodb: { Keys: { pk: { S: [{ prefix: 'S#' }] }, sk: { N: ['0'] } } },
});

const streamMapping = (verb: string) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: {
    FunctionName: functionArn(verb),
    EventSourceArn: att('EventTable', 'StreamArn'),
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 25,
    // Streams keep order per item only, and every stream of ours is one item.
    ParallelizationFactor: 4,
    FilterCriteria: { Filters: [{ Pattern: headFilter }] },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    // A poisonous event is parked by the function itself long before.
    MaximumRetryAttempts: 100,
    MaximumRecordAgeInSeconds: 86_400,
    DestinationConfig: { OnFailure: { Destination: deadLetters } },
  },
});

/** What the bus takes from requesters; the table's triggers ask for these. */
export const requestDetailTypes = [
  requestDetailType,
  operationDetailType,
  migrationDetailType,
  migrationOperationDetailType,
];
