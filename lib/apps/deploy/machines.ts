/**
 * The state machines as CloudFormation's own resources: the definition as it stands in statemachines/, with
 * the functions' ARNs substituted by CloudFormation. Every change makes a version and moves the alias to it,
 * so an execution under way ends on the definition it began with.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { att, functionArn, pascal, type Resources, ref, roleId } from './cloudFormation.ts';
import { type Deployment, liveAlias, machineName } from './deployment.ts';
import { deployedFunctions } from './functions.ts';

export type Machine = {
  /** `rollout` for statemachines/rollout.asl.json. */
  readonly name: string;
  readonly definition: unknown;
  /** Folders of the functions it runs. */
  readonly functions: readonly string[];
  /** It hands a long execution over to another of its own. */
  readonly startsItself: boolean;
};

const folder = new URL('../../../statemachines/', import.meta.url);

export const machines: readonly Machine[] = readdirSync(folder)
  .filter((file) => file.endsWith('.asl.json'))
  .sort()
  .map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const names = [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))];
    return {
      name: file.replace(/\.asl\.json$/, ''),
      definition: JSON.parse(text),
      functions: names.map((name) => verbOf(name, file)),
      startsItself: text.includes('arn:aws:states:::states:startExecution'),
    };
  });

function verbOf(name: string, file: string): string {
  const verb = Object.keys(deployedFunctions).find((one) => pascal(one) === name);
  if (verb === undefined) {
    throw new Error(
      `statemachines/${file} runs \${${name}}, and lib/apps/deploy/functions.ts has no such function`,
    );
  }
  return verb;
}

export const machineId = (name: string): string => `${pascal(name)}Machine`;

export function machineResources(deployment: Deployment): Resources {
  return Object.assign({}, ...machines.map((machine) => resourcesOf(machine, deployment)));
}

function resourcesOf({ name, definition, functions }: Machine, deployment: Deployment): Resources {
  const id = machineId(name);
  const fullName = machineName(deployment, name);
  return {
    [`${id}LogGroup`]: {
      Type: 'AWS::Logs::LogGroup',
      Properties: {
        // The prefix keeps CloudWatch Logs' one resource policy per account from growing with every machine.
        LogGroupName: `/aws/vendedlogs/states/${fullName}`,
        RetentionInDays: deployment.stage.logRetentionDays,
      },
    },
    [id]: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: fullName,
        StateMachineType: 'STANDARD',
        RoleArn: att(roleId(`${name}-machine`), 'Arn'),
        TracingConfiguration: { Enabled: true },
        LoggingConfiguration: {
          Level: 'ALL',
          // Inputs hold task tokens, and who has the token may answer for a person.
          IncludeExecutionData: false,
          Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: att(`${id}LogGroup`, 'Arn') } }],
        },
        // As text: osls takes every null out of an object, and a machine may need one.
        DefinitionString: JSON.stringify(definition),
        DefinitionSubstitutions: Object.fromEntries(
          functions.map((verb) => [pascal(verb), functionArn(verb)]),
        ),
      },
    },
    [`${id}Version`]: {
      Type: 'AWS::StepFunctions::StateMachineVersion',
      // The version before stays, to be gone back to.
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        StateMachineArn: ref(id),
        StateMachineRevisionId: att(id, 'StateMachineRevisionId'),
      },
    },
    [`${id}Live`]: {
      Type: 'AWS::StepFunctions::StateMachineAlias',
      Properties: {
        Name: liveAlias,
        DeploymentPreference: { Type: 'ALL_AT_ONCE', StateMachineVersionArn: ref(`${id}Version`) },
      },
    },
  };
}
