/**
 * What the state machine interpreter costs: one evaluation of each common kind of expression, beside the same
 * expression asked of jsonata itself, and whole executions of 250 evaluations each on a virtual clock.
 */
import jsonata from 'jsonata';
import { VirtualClock } from '../lib/asl/clock.ts';
import type { EvaluationFrame } from '../lib/asl/evaluationFrame.ts';
import { startExecution } from '../lib/asl/execution.ts';
import { compileExpression } from '../lib/asl/expression.ts';
import { loadMachine } from '../lib/asl/loadMachine.ts';
import { lambdaRunner } from '../lib/asl/taskRunner.ts';
import type { BenchArguments } from './main.ts';

const EXPRESSIONS = [
  '$states.input.service',
  "$verdict = 'fail'",
  '$looks < $count($steps)',
  "{'service': $states.input.service, 'look': $looks + 1, 'weight': $steps[$looks].weight}",
  '$exists($verdict) ? $verdict : null',
];
const values = { verdict: 'pass', looks: 1, steps: [{ weight: 1 }, { weight: 5 }, { weight: 25 }] };
const input = { service: 'checkout' };
const LOOKS = 250;
const EVALUATIONS_PER_LOOK = 10;

const looking = {
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: 'look', Payload: { service: '{% $service %}', looks: '{% $looks %}' } },
  TimeoutSeconds: 60,
  Retry: [{ ErrorEquals: ['States.ALL'] }],
  Assign: {
    next: '{% $states.result.Payload.next %}',
    waitSeconds: '{% $states.result.Payload.waitSeconds %}',
    looks: '{% $looks + 1 %}',
  },
  Output: '{% $states.input %}',
  Next: 'Route',
};
const machine = loadMachine({
  QueryLanguage: 'JSONata',
  StartAt: 'Open',
  States: {
    Open: {
      Type: 'Pass',
      Assign: { service: '{% $states.input.service %}', looks: 0, next: 'Look', waitSeconds: 0 },
      Next: 'Route',
    },
    Route: {
      Type: 'Choice',
      Choices: [
        { Condition: "{% $next = 'Done' %}", Next: 'Ended' },
        { Condition: '{% $looks >= 1000 %}', Next: 'Ended' },
        { Condition: '{% $waitSeconds > 0 %}', Next: 'Bake' },
      ],
      Default: 'Look',
    },
    Bake: { Type: 'Wait', Seconds: '{% $waitSeconds %}', Next: 'Look' },
    Look: looking,
    Ended: { Type: 'Succeed' },
  },
});

export async function run({ full }: BenchArguments): Promise<object> {
  const rounds = full ? 10 : 3;
  const expressions = [];
  for (const source of EXPRESSIONS) {
    const compiledUs = compiled(source, 300_000 * rounds);
    const jsonataUs = await interpreted(source, 10_000 * rounds);
    expressions.push({ source, compiledUs, jsonataUs });
    console.log(`${compiledUs.toFixed(3).padStart(8)} µs, jsonata ${jsonataUs.toFixed(2)} µs   ${source}`);
  }
  const executionsPerSecond = await executions(100 * rounds);
  const evaluations = LOOKS * EVALUATIONS_PER_LOOK;
  console.log(`${executionsPerSecond.toFixed(0)} executions/s of about ${evaluations} evaluations each`);
  return { expressions, executionsPerSecond };
}

function compiled(source: string, times: number): number {
  const expression = compileExpression(`{% ${source} %}`, {
    location: 'Output',
    members: new Set(['input', 'context']),
    refuse(sentence): never {
      throw new Error(sentence);
    },
  });
  const variables = Object.assign(Object.create(null), values);
  const chance = { random: () => 0, uuid: () => '' };
  const frame: EvaluationFrame = { input, context: {}, variables, chance, now: () => 0 };
  const evaluate = () => expression.evaluate(frame);
  for (let warm = 0; warm < 50_000; warm++) evaluate();
  const from = performance.now();
  for (let time = 0; time < times; time++) evaluate();
  return ((performance.now() - from) * 1000) / times;
}

async function interpreted(source: string, times: number): Promise<number> {
  const expression = jsonata(source);
  const bindings = { states: { input }, ...values };
  for (let warm = 0; warm < 2000; warm++) await expression.evaluate(undefined, bindings);
  const from = performance.now();
  for (let time = 0; time < times; time++) await expression.evaluate(undefined, bindings);
  return ((performance.now() - from) * 1000) / times;
}

async function executions(count: number): Promise<number> {
  const from = performance.now();
  for (let nth = 0; nth < count; nth++) {
    const clock = new VirtualClock();
    let looks = 0;
    const look = () =>
      ++looks < LOOKS ? { next: 'Look', waitSeconds: 60 } : { next: 'Done', waitSeconds: 0 };
    await clock.runUntil(startExecution(machine, { clock, input, tasks: lambdaRunner(look) }).done);
  }
  return (count * 1000) / (performance.now() - from);
}
