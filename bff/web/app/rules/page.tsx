import { RulesPage } from '../../src/rules/RulesPage';

export default function Page() {
  return <RulesPage />;
}
