use std::io;
use std::net::SocketAddr;

use super::app::Router;

/// Where a simulator is to listen. Port 0 picks a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The router of the United States.
    pub us: SocketAddr,
    /// The router of the European Union.
    pub eu: SocketAddr,
    /// The router of the rest of the world.
    pub global: SocketAddr,
    /// PA, the first router for products.
    pub pa: SocketAddr,
    /// CN, the second one.
    pub cn: SocketAddr,
    /// The seller centre's pages.
    pub seller_centre: SocketAddr,
}

impl Addresses {
    /// A router's.
    pub fn of(&self, router: Router) -> SocketAddr {
        match router {
            Router::Us => self.us,
            Router::Eu => self.eu,
            Router::Global => self.global,
            Router::Pa => self.pa,
            Router::Cn => self.cn,
        }
    }

    /// Six ports in a row, from this one on; from port 0 any six free ones.
    ///
    /// # Errors
    /// When the row would go past the last port.
    pub fn from_first(first: SocketAddr) -> io::Result<Self> {
        let at = |offset: u16| match first.port() {
            0 => Ok(first),
            port => {
                let port = port.checked_add(offset).ok_or(io::ErrorKind::InvalidInput)?;
                Ok(SocketAddr::new(first.ip(), port))
            }
        };
        let row: [io::Result<SocketAddr>; 6] = [0, 1, 2, 3, 4, 5].map(at);
        let [us, eu, global, pa, cn, seller_centre] = row;
        Ok(Self { us: us?, eu: eu?, global: global?, pa: pa?, cn: cn?, seller_centre: seller_centre? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_a_row_or_any() {
        let any = Addresses::from_first(([127, 0, 0, 1], 0).into()).unwrap();
        assert!([any.us, any.cn, any.seller_centre].iter().all(|address| address.port() == 0));
        let row = Addresses::from_first(([127, 0, 0, 1], 8750).into()).unwrap();
        let ports = [row.us, row.eu, row.global, row.pa, row.cn, row.seller_centre].map(|address| address.port());
        assert_eq!(ports, [8750, 8751, 8752, 8753, 8754, 8755]);
        assert!(Addresses::from_first(([127, 0, 0, 1], 65_533).into()).is_err());
    }
}
