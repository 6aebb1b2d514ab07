import Link from 'next/link';
import type { z } from 'zod';

import type { zResolution } from '../api/generated/zod.gen';
import type { Read } from '../api/hooks';
import { REASON_TEXT, worded } from '../orders/reasons';
import { usePreferences } from '../shell/preferences';
import { useText } from '../text/text';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { rulesOf, zProfile } from './profile';
import type { Levels, Position } from './reads';
import { PASSED_TEXT, RULE_TEXT } from './ruleText';
import { valueOf } from './ruleValues';
import css from './rule.module.css';

type Resolution = z.infer<typeof zResolution>;

const STEPS = ['POSITION', 'SYMBOL', 'STRATEGY', 'DEFAULT'] as const;

/** The four levels at which a rule may be chosen, what stands at each, and which one won. */
function Choosing({ resolution }: { resolution: Resolution }) {
  const text = useText(RULE_TEXT);
  const passedWords = useText(PASSED_TEXT);
  const { rule } = resolution;
  return (
    <ol className={css.steps} data-testid="resolution">
      {STEPS.map((step) => {
        const passed = resolution.passed_over.filter(({ level }) => level === step);
        const isChosen = rule?.level === step;
        return (
          <li key={step} className={css.step} data-chosen={isChosen}>
            <span className={css.level} title={text[`${step}_by`]}>
              {text[step]}
            </span>
            <span className={css.candidates}>
              {isChosen && rule != null && (
                <span>
                  <Link href={`/rules/?rule=${encodeURIComponent(rule.rule_id)}`}>
                    <b>{rule.rule_id}</b>
                  </Link>{' '}
                  <span className={css.muted}>{text[`${step}_by`]}</span> <Tag tone="good">{text.chosen}</Tag>
                </span>
              )}
              {passed.map((one) => (
                <span key={one.rule_id} className={css.muted} title={one.detail}>
                  {one.rule_id} · {worded(passedWords, one.why)}
                </span>
              ))}
              {!isChosen && passed.length === 0 && <span className={css.muted}>{text.nothing}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** The rule that serves the position: what chose it, which were passed over, and its values. */
export function RulePanel({ position, levels, resolution }: { position: Position; levels: Levels | undefined; resolution: Read<Resolution> }) {
  const text = useText(RULE_TEXT);
  const reasons = useText(REASON_TEXT);
  const { language } = usePreferences();
  const isClosed = position.status === 'CLOSED';
  const inForce = levels?.profile ?? null;
  const found = resolution.data;
  const profile = zProfile.safeParse(inForce?.rules).data ?? {};
  const rules = rulesOf(profile);
  const told = found?.told ?? null;
  const isBehind = told !== null && found?.rule != null && (told.rule_id !== found.rule.rule_id || told.version !== found.rule.version);
  const isChanged = inForce?.stored_version != null && inForce.stored_version !== inForce.version;
  const empty = isClosed ? text.closed : found !== undefined && found.rule == null ? text.unguarded : null;
  return (
    <Panel
      title={text.title}
      count={inForce === null ? null : `${inForce.name ?? inForce.rule_id} · ${text.version(inForce.version)}`}
      isLoading={resolution.isLoading}
      fault={resolution.fault}
      onRetry={resolution.retry}
      empty={empty}
      isFlush
      {...(inForce === null || isClosed
        ? {}
        : {
            actions: (
              <Link className={css.link} href={`/rules/?rule=${encodeURIComponent(inForce.rule_id)}`}>
                {text.edit}
              </Link>
            ),
          })}
    >
      {isBehind && <p className={css.warning}>{text.behind(`${told.rule_id} ${told.version}`)}</p>}
      {isChanged && <p className={css.warning}>{text.changed}</p>}
      {found !== undefined && <Choosing resolution={found} />}
      <dl className={css.values} aria-label={text.values}>
        {rules.map((rule) => {
          const { when, sells } = valueOf(rule, profile, language);
          const code = rule.ruleId ?? rule.reason.replaceAll('_', ' ');
          return (
            <div key={`${rule.reason} ${rule.ruleId ?? ''}`}>
              <dt title={worded(reasons, rule.reason.replace(/_(LOSS|PROFIT)$/, ''))}>{code}</dt>
              <dd>{when}</dd>
              <dd className={css.muted}>{sells}</dd>
            </div>
          );
        })}
      </dl>
    </Panel>
  );
}
