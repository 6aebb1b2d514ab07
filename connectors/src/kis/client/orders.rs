//! Sending, replacing and cancelling orders (KIS Open API, 5.1 and 5.2).

use turnstile_dataflows::model::Quantity;

use super::row::Row;
use super::{KisClient, Reply, Request};
use crate::kis::error::KisError;
use crate::kis::limiter::Lane;
use crate::kis::order::{Extent, NewOrder, OrderPrice, OrderReceipt, OrderRef, Side};
use crate::kis::tr::Tr;

impl KisClient {
    /// Sends a cash order to the Korea Exchange (order-cash). A receipt means that the broker has
    /// it; a later rejection comes as a notice.
    ///
    /// # Errors
    /// [`KisError::UnknownOutcome`] where it may have reached the market: the wire has no client
    /// order id, so ask [`KisClient::daily_orders`] before sending again. Every other error means
    /// that it was not executed.
    pub async fn order_cash(&self, order: &NewOrder) -> Result<OrderReceipt, KisError> {
        let tr = match order.side {
            Side::Sell => Tr::Sell,
            Side::Buy => Tr::Buy,
        };
        check_quantity(tr, order.quantity)?;
        let mut fields = self.account_fields();
        fields.extend([
            ("PDNO", order.symbol.to_string()),
            ("ORD_DVSN", order.price.code().to_owned()),
            ("ORD_QTY", order.quantity.to_string()),
            ("ORD_UNPR", order.price.field()),
            ("EXCG_ID_DVSN_CD", "KRX".to_owned()),
            (
                "SLL_TYPE",
                match order.side {
                    Side::Sell => "01".to_owned(),
                    Side::Buy => String::new(),
                },
            ),
            ("CNDT_PRIC", String::new()),
        ]);
        self.send_order(tr, fields).await
    }

    /// Cancels `order` as far as it is not filled (order-rvsecncl). The cancel has a number of its
    /// own; a receipt does not confirm it, and a fill can win the race.
    ///
    /// # Errors
    /// As [`KisClient::order_cash`].
    pub async fn cancel(&self, order: &OrderRef, extent: Extent) -> Result<OrderReceipt, KisError> {
        // The broker wants a type and a price even where a cancel has none.
        let fields = self.change_fields(order, "02", "00", "0".to_owned(), extent)?;
        self.send_order(Tr::ReviseCancel, fields).await
    }

    /// Replaces the price of `order` as far as it is not filled (order-rvsecncl). The replacement
    /// has a number of its own.
    ///
    /// # Errors
    /// As [`KisClient::order_cash`].
    pub async fn replace(
        &self,
        order: &OrderRef,
        price: OrderPrice,
        extent: Extent,
    ) -> Result<OrderReceipt, KisError> {
        let fields = self.change_fields(order, "01", price.code(), price.field(), extent)?;
        self.send_order(Tr::ReviseCancel, fields).await
    }

    fn change_fields(
        &self,
        order: &OrderRef,
        class: &str,
        order_type: &str,
        price: String,
        extent: Extent,
    ) -> Result<Vec<(&'static str, String)>, KisError> {
        let (quantity, all) = match extent {
            Extent::Remainder => ("0".to_owned(), "Y"),
            Extent::Shares(shares) => {
                check_quantity(Tr::ReviseCancel, shares)?;
                (shares.to_string(), "N")
            }
        };
        let mut fields = self.account_fields();
        fields.extend([
            ("KRX_FWDG_ORD_ORGNO", order.branch.clone()),
            ("ORGN_ODNO", order.number.to_string()),
            ("ORD_DVSN", order_type.to_owned()),
            ("RVSE_CNCL_DVSN_CD", class.to_owned()),
            ("ORD_QTY", quantity),
            ("ORD_UNPR", price),
            ("QTY_ALL_ORD_YN", all.to_owned()),
            ("EXCG_ID_DVSN_CD", "KRX".to_owned()),
        ]);
        Ok(fields)
    }

    async fn send_order(
        &self,
        tr: Tr,
        fields: Vec<(&'static str, String)>,
    ) -> Result<OrderReceipt, KisError> {
        let reply = self
            .order(Request {
                tr,
                lane: Lane::Order,
                fields,
                next_page: false,
            })
            .await?;
        receipt(tr, &reply)
    }
}

/// Reads the receipt. Without a number the order was accepted but cannot be named: unknown.
fn receipt(tr: Tr, reply: &Reply) -> Result<OrderReceipt, KisError> {
    let place = tr.name();
    Row::one(place, &reply.body, "output")
        .and_then(|row| {
            Ok(OrderReceipt {
                order: OrderRef {
                    branch: row.text("KRX_FWDG_ORD_ORGNO").to_owned(),
                    number: row.order_number("ODNO")?,
                },
                time: row.time("ORD_TMD").unwrap_or_default(), // Only informative.
            })
        })
        .map_err(|fault| KisError::UnknownOutcome {
            place,
            reason: format!("accepted, but {fault}"),
        })
}

/// Refuses an order for no shares before it is sent.
fn check_quantity(tr: Tr, quantity: Quantity) -> Result<(), KisError> {
    if quantity.is_zero() {
        return Err(KisError::Rejected {
            place: tr.name(),
            code: "LOCAL".to_owned(),
            message: "quantity must be positive, was 0".to_owned(),
        });
    }
    Ok(())
}
