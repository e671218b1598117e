/** Environment variables that are configuration, judged before they are deployed. */
import { environmentValues, layeredVariables } from '../../aws/layers.ts';
import type { Configuration } from '../../core/config/configuration.ts';
import { inCapitals, layered } from '../../core/config/layers.ts';
import { ConfigurationRefused } from './yamlFile.ts';

/** @throws ConfigurationRefused naming each variable that is for no service, or cannot be */
export function refuseVariables(
  { services }: Configuration,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const names = services.map(({ service }) => inCapitals(service));
  const wrong = [
    ...Object.keys(layeredVariables(environment))
      .filter((variable) => !names.some((name) => variable.startsWith(`SWITCHBACK__${name}__`)))
      .map((variable) => {
        const known = names.map((name) => `SWITCHBACK__${name}__…`).join(', ');
        return `environment ${variable}: names no service: write ${known}.`;
      }),
    ...services.flatMap((settings) => {
      const result = layered(settings, environmentValues(environment, settings.service));
      return 'refused' in result ? result.refused : [];
    }),
  ];
  if (wrong.length > 0) throw new ConfigurationRefused(wrong.join('\n'));
}
