//! The market as files: for `turnstile import`, and as the tables are dumped.

use std::fs::File;
use std::path::Path;

use jiff::tz::Offset;

use super::{GeneratedMarket, Standing, Wish};

/// Seoul knows no daylight saving.
const SEOUL: Offset = Offset::constant(9);

/// Names under which both write the same: file and columns.
struct Names {
    bars: &'static str,
    day_of_bar: &'static str,
    day_of_flow: &'static str,
}

const IMPORTS: Names = Names {
    bars: "daily",
    day_of_bar: "date",
    day_of_flow: "date",
};
const TABLES: Names = Names {
    bars: "bars",
    day_of_bar: "trade_date",
    day_of_flow: "trade_date",
};

pub(super) fn write_imports(market: &GeneratedMarket, folder: &Path) {
    let mut sectors = Sheet::create(folder, "sectors", &["symbol", "sector"]);
    for company in &market.companies {
        if let Some(sector) = company.sector {
            sectors.row(&[&company.symbol, sector]);
        }
    }
    sectors.end();
    write_both(market, folder, &IMPORTS);
}

pub(super) fn write_tables(market: &GeneratedMarket, folder: &Path) {
    let columns = [
        "symbol",
        "name",
        "market",
        "instrument_type",
        "status",
        "sector",
        "market_cap",
        "is_tradable",
        "is_managed",
        "is_caution",
    ];
    let mut stocks = Sheet::create(folder, "stocks", &columns);
    let mut wanted = Sheet::create(folder, "wanted", &["symbol", "kind"]);
    let flag = |is_set| if is_set { "t" } else { "f" };
    for company in &market.companies {
        let standing = company.standing;
        let (status, is_tradable) = match standing {
            Standing::Suspended => ("SUSPENDED", false),
            Standing::Delisted => ("DELISTED", false),
            Standing::Active | Standing::Managed | Standing::Caution => ("ACTIVE", true),
        };
        stocks.row(&[
            &company.symbol,
            &company.name,
            company.market,
            "STOCK",
            status,
            company.sector.unwrap_or_default(),
            &shown(company.market_cap()),
            flag(is_tradable),
            flag(standing == Standing::Managed),
            flag(standing == Standing::Caution),
        ]);
        match company.wish {
            Some(Wish::Holding) => wanted.row(&[&company.symbol, "HOLDING"]),
            Some(Wish::Watchlist) => wanted.row(&[&company.symbol, "WATCHLIST"]),
            None => {}
        }
    }
    stocks.end();
    wanted.end();
    write_both(market, folder, &TABLES);
}

fn write_both(market: &GeneratedMarket, folder: &Path, names: &Names) {
    write_bars(market, folder, names);
    write_figures(market, folder);
    write_flows(market, folder, names);
    let columns = ["receipt_no", "symbol", "disclosed_ts", "title", "url"];
    let mut disclosures = Sheet::create(folder, "disclosures", &columns);
    for company in &market.companies {
        for disclosed in &company.disclosures {
            let at = SEOUL.to_timestamp(disclosed.at).expect("a time");
            disclosures.row(&[
                &disclosed.receipt_no,
                &company.symbol,
                &at.display_with_offset(SEOUL).to_string(),
                disclosed.title,
                disclosed.url.as_deref().unwrap_or_default(),
            ]);
        }
    }
    disclosures.end();
    let columns = ["category", "market", "rank", "symbol", "collected_on"];
    let mut rankings = Sheet::create(folder, "rankings", &columns);
    for (day, market, symbols) in &market.popular {
        for (at, symbol) in symbols.iter().enumerate() {
            let (rank, day) = ((at + 1).to_string(), day.to_string());
            rankings.row(&["POPULAR", market, &rank, symbol, &day]);
        }
    }
    rankings.end();
}

fn write_bars(market: &GeneratedMarket, folder: &Path, names: &Names) {
    let columns = [
        names.day_of_bar,
        "symbol",
        "name",
        "market",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "value",
        "market_cap",
        "shares",
        "dept",
    ];
    let mut bars = Sheet::create(folder, names.bars, &columns);
    // By day, as the exchange lists them.
    let mut next = vec![0; market.companies.len()];
    for day in &market.sessions {
        let date = day.to_string();
        for (company, next) in market.companies.iter().zip(&mut next) {
            let Some(bar) = company.bars.get(*next).filter(|bar| bar.day == *day) else {
                continue;
            };
            *next += 1;
            bars.row(&[
                &date,
                &company.symbol,
                &company.name,
                company.market,
                &bar.open.to_string(),
                &bar.high.to_string(),
                &bar.low.to_string(),
                &bar.close.to_string(),
                &bar.volume.to_string(),
                &bar.value.to_string(),
                &shown(bar.size.map(|(cap, _shares)| cap)),
                &shown(bar.size.map(|(_cap, shares)| shares)),
                company.segment.as_deref().unwrap_or_default(),
            ]);
        }
    }
    bars.end();
}

fn write_figures(market: &GeneratedMarket, folder: &Path) {
    let columns = [
        "symbol",
        "report_date",
        "per",
        "pbr",
        "psr",
        "roe",
        "debt_ratio",
        "eps",
        "bps",
    ];
    let mut fundamentals = Sheet::create(folder, "fundamentals", &columns);
    for company in &market.companies {
        for figures in &company.figures {
            let [per, pbr, psr, roe, debt] = figures.ratios.map(millionths);
            fundamentals.row(&[
                &company.symbol,
                &figures.day.to_string(),
                &per,
                &pbr,
                &psr,
                &roe,
                &debt,
                &shown(figures.eps),
                &shown(figures.bps),
            ]);
        }
    }
    fundamentals.end();
}

fn write_flows(market: &GeneratedMarket, folder: &Path, names: &Names) {
    let columns = [
        "symbol",
        names.day_of_flow,
        "foreign_net",
        "institution_net",
        "individual_net",
    ];
    let mut flows = Sheet::create(folder, "flows", &columns);
    for company in &market.companies {
        for flow in &company.flows {
            let [foreign, institution, individual] = flow.nets.map(shown);
            let day = flow.day.to_string();
            flows.row(&[&company.symbol, &day, &foreign, &institution, &individual]);
        }
    }
    flows.end();
}

fn shown(number: Option<i64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn millionths(number: Option<i64>) -> String {
    number.map_or_else(String::new, |number| {
        rust_decimal::Decimal::new(number, 6).to_string()
    })
}

/// A file of rows.
struct Sheet(csv::Writer<File>);

impl Sheet {
    fn create(folder: &Path, name: &str, columns: &[&str]) -> Self {
        let file = folder.join(format!("{name}.csv"));
        let mut sheet = Self(csv::Writer::from_path(file).expect("a folder that can be written"));
        sheet.row(columns);
        sheet
    }

    fn row(&mut self, fields: &[&str]) {
        self.0.write_record(fields).expect("written");
    }

    fn end(mut self) {
        self.0.flush().expect("written");
    }
}
