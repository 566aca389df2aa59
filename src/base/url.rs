//! Addresses that may hold a password: `scheme://user:password@host/…`.

use super::secret::MASK;

/// The address with the mask in its password's place; `None` where it holds none.
///
/// A password that was not percent-encoded may itself hold `/`, `?` and `@`, so that it reaches to
/// the last `@` there is: rather too much is hidden than a part of it shown.
pub fn without_password(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let (login, host) = rest.rsplit_once('@')?;
    let (user, _) = login.split_once(':')?;
    Some(format!("{scheme}://{user}:{MASK}@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_whatever_it_holds() {
        for password in ["geheim", "pa/ss", "a?b#c", "a@b", "a:b@c/d", ""] {
            let address = format!("mysql://ops:{password}@db:3306/ioms?x=y");
            assert_eq!(
                without_password(&address).as_deref(),
                Some("mysql://ops:********@db:3306/ioms?x=y"),
                "{password}"
            );
        }
        for none in [
            "mysql://ops@db:3306/ioms",
            "mysql://db:3306/x",
            "sqlite:/a:b@c",
            "text",
        ] {
            assert_eq!(without_password(none), None, "{none}");
        }
    }
}
