/** Limits as they are being typed. */

import { FIELD, profileOf, type Figures, type LimitField, type Limits, type Profile } from './risk';

export type Draft = Record<LimitField, string> & {
  profile: Profile;
  /** Of the field `datetime-local`, Seoul time; empty: no end. */
  active_to: string;
  reason: string;
};

const FIELDS: readonly LimitField[] = Object.values(FIELD);

/** Why a field cannot be taken, as the name of what is said. */
export type DraftFault = 'whole' | 'percent' | 'required' | 'past';

/** Returns a draft of the limits as they stand. */
export function draftOf({ profile, limits }: Limits): Draft {
  const typed = (field: LimitField) => (limits == null ? '' : String(limits[field]));
  return {
    profile: profileOf(profile),
    positions_max: typed('positions_max'),
    single_max_pct: typed('single_max_pct'),
    sector_max_pct: typed('sector_max_pct'),
    market_max_pct: typed('market_max_pct'),
    daily_loss_max_pct: typed('daily_loss_max_pct'),
    total_loss_max_pct: typed('total_loss_max_pct'),
    active_to: '',
    reason: '',
  };
}

/** Returns the moment that `local` names in Seoul, null where it names none. */
export function seoulInstant(local: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(local)) return null;
  const at = new Date(`${local}+09:00`);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** Returns what is wrong with each field. The server has the last word. */
export function faultsOf(draft: Draft, nowMs: number): Partial<Record<keyof Draft, DraftFault>> {
  const faults: Partial<Record<keyof Draft, DraftFault>> = {};
  for (const field of FIELDS) {
    const text = draft[field].trim();
    if (field === 'positions_max') {
      if (!/^\d{1,9}$/.test(text)) faults[field] = 'whole';
    } else if (!/^\d{1,3}(\.\d{1,4})?$/.test(text) || Number(text) <= 0 || Number(text) > 100) {
      faults[field] = 'percent';
    }
  }
  if (draft.active_to !== '') {
    const until = seoulInstant(draft.active_to);
    if (until === null || until.getTime() <= nowMs) faults.active_to = 'past';
  }
  if (draft.reason.trim() === '') faults.reason = 'required';
  return faults;
}

/** Whether any limit of a draft lets more through than those in force. */
export function isLooser(draft: Draft, figures: Figures | null | undefined): boolean {
  if (figures == null) return false;
  return FIELDS.some((field) => Number(draft[field]) > figures[field]);
}

/** Returns what is sent, made from `version` and signed by `by`. */
export function bodyOf(draft: Draft, version: number, by: string | undefined) {
  const until = seoulInstant(draft.active_to);
  const figures = Object.fromEntries(FIELDS.map((field) => [field, Number(draft[field])])) as Record<LimitField, number>;
  return {
    profile: draft.profile,
    ...figures,
    ...(until === null ? {} : { active_to: until.toISOString() }),
    version,
    reason: draft.reason.trim(),
    ...(by === undefined ? {} : { updated_by: by }),
  };
}
