import { useText } from '../text/text';
import { nameOf, valueText } from './describe';
import type { Changes } from './draft';
import css from './effect.module.css';
import { FIELD_TEXT, SECTION_TEXT } from './words';

/** What a draft changes, each as it was and as it would be. */
export function ChangeList({ changes }: { changes: Pick<Changes, 'head' | 'rules'> }) {
  const fields = useText(FIELD_TEXT);
  const sections = useText(SECTION_TEXT);
  const words = { fields, sections };
  const rows = [
    ...changes.head.map(({ field, before, after }) => ({
      key: field,
      name: fields[field],
      before: typeof before === 'boolean' ? valueText('', field, before, words) : before || '–',
      after: typeof after === 'boolean' ? valueText('', field, after, words) : after || '–',
    })),
    ...changes.rules.map((difference) => ({
      key: [difference.section, difference.customId, difference.field].join('.'),
      name: nameOf(difference, words),
      before: valueText(difference.section, difference.field, difference.before, words),
      after: valueText(difference.section, difference.field, difference.after, words),
    })),
  ];
  return (
    <ul className={css.changes} data-testid="changes">
      {rows.map(({ key, name, before, after }) => (
        <li key={key}>
          <span className={css.what}>{name}</span>
          <span>
            <del>{before}</del> <span aria-hidden="true">→</span> <ins>{after}</ins>
          </span>
        </li>
      ))}
    </ul>
  );
}
