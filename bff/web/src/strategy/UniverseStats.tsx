'use client';

import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Split, Stat, Stats } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { countOf, REASON_TEXT, TIER_TEXT, wordOf } from './names';
import css from './UniverseStats.module.css';

const TEXT = texts(
  { title: 'Universe', of: (day: string) => `of ${day}`, listings: 'Listings', passed: 'Passed', out: 'Kept out, and by which filter', noneOut: 'Nothing is kept out.', share: 'of all' },
  { title: '유니버스', of: (day: string) => `${day} 기준`, listings: '전체 종목', passed: '통과', out: '필터별 제외', noneOut: '제외된 종목이 없습니다.', share: '전체 대비' },
);

function groupsOf(stats: Record<string, unknown>, key: string): [string, number][] {
  const group = stats[key];
  if (typeof group !== 'object' || group === null) return [];
  const counts = Object.entries(group).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return counts.sort(([, a], [, b]) => b - a);
}

/** What the filters made of all listings: those that pass by tier, those kept out by reason. */
export function UniverseStats({ stats, asOf }: { stats: Record<string, unknown>; asOf: string }) {
  const text = useText(TEXT);
  const tiers = useText(TIER_TEXT);
  const reasons = useText(REASON_TEXT);
  const listings = countOf(stats, 'listings');
  const passed = countOf(stats, 'passed');
  const out = groupsOf(stats, 'excluded');
  const most = Math.max(1, ...out.map(([, count]) => count));
  return (
    <Split columns="minmax(0, 1fr) minmax(0, 1.4fr)">
      <Panel title={text.title} count={text.of(asOf)}>
        <Stats>
          <Stat name={text.listings} testId="universe-listings">
            <Count value={listings} />
          </Stat>
          <Stat name={text.passed} testId="universe-passed" note={listings === null || passed === null || listings === 0 ? undefined : `${((passed / listings) * 100).toFixed(1)} % ${text.share}`}>
            <Count value={passed} />
          </Stat>
          {groupsOf(stats, 'tiers').map(([tier, count]) => (
            <Stat key={tier} name={wordOf(tiers, tier)}>
              <Count value={count} />
            </Stat>
          ))}
        </Stats>
      </Panel>
      <Panel title={text.out} empty={out.length === 0 ? text.noneOut : null}>
        <dl className={css.bars}>
          {out.map(([reason, count]) => (
            <div key={reason}>
              <dt>{wordOf(reasons, reason)}</dt>
              <dd className={css.track} aria-hidden="true">
                <i style={{ width: `${(count / most) * 100}%` }} />
              </dd>
              <dd className={css.count}>
                <Count value={count} />
              </dd>
            </div>
          ))}
        </dl>
      </Panel>
    </Split>
  );
}
