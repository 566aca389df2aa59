//! Spreadsheets become inventories: encodings, separators, headings in Chinese and English, and
//! what is said of rows that are wrong.

use ioms::base::value::Value;
use ioms::inventory::{Imported, import_csv};

use super::read;

fn import(text: &str) -> Imported {
    import_csv(text.as_bytes()).unwrap()
}

const TABLE: &str = "主机,地址,端口,用户,分组,密码,备注\n\
    游服 01,10.0.0.1,22,root,game、idc_a,pw,\"一区,\"\"新\"\"服\n第二行\"\n\
    db1,10.0.0.2,,,db,,\n,,,,,,\n";

#[test]
fn headings_are_known_as_people_write_them_and_a_host_has_one_name_and_one_address() {
    let imported = import("服务器名称,公网IP,内网IP,IP\n游服,1.2.3.4,10.0.0.1,10.9.9.9\n");
    insta::assert_snapshot!(imported.yaml, @"
    all:
      hosts:
        游服:
          ansible_host: 10.0.0.1
          公网ip: 1.2.3.4
          ip: 10.9.9.9
    ");
    let imported = import("Server Name,Private IP\nweb01,10.0.0.1\n");
    insta::assert_snapshot!(imported.yaml, @"
    all:
      hosts:
        web01:
          ansible_host: 10.0.0.1
    ");
}

#[test]
fn a_row_takes_the_first_of_its_columns_that_says_something_and_ansible_host_before_all() {
    let imported = import(
        "name,hostname,private ip,ip\nweb1,,,10.0.0.2\n,web2,10.0.0.3,\nweb3,w,10.0.0.4,1.2.3.4\n,,,10.0.0.5\n",
    );
    insta::assert_snapshot!(imported.yaml, @"
    all:
      hosts:
        web1:
          ansible_host: 10.0.0.2
          ip: 10.0.0.2
        web2:
          ansible_host: 10.0.0.3
          hostname: web2
        web3:
          ansible_host: 10.0.0.4
          hostname: w
          ip: 1.2.3.4
        10.0.0.5:
          ip: 10.0.0.5
    ");
    let imported = import("name,ip,ansible_host\nweb1,1.2.3.4,10.0.0.1\nweb2,1.2.3.5,\n");
    insta::assert_snapshot!(imported.yaml, @"
    all:
      hosts:
        web1:
          ansible_host: 10.0.0.1
          ip: 1.2.3.4
        web2:
          ansible_host: 1.2.3.5
          ip: 1.2.3.5
    ");
}

#[test]
fn a_spreadsheet_becomes_an_inventory_in_either_encoding() {
    let (gbk, _, _) = encoding_rs::GBK.encode(TABLE);
    let with_mark = format!("\u{feff}{TABLE}");
    let windows = TABLE.replace('\n', "\r\n").replace("服\r\n第", "服\n第");
    for bytes in [
        TABLE.as_bytes(),
        with_mark.as_bytes(),
        windows.as_bytes(),
        &gbk,
    ] {
        let imported = import_csv(bytes).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(imported.yaml, @r#"
            all:
              hosts:
                游服_01:
                  ansible_host: 10.0.0.1
                  ansible_port: 22
                  ansible_user: root
                  note: |-
                    一区,"新"服
                    第二行
                db1:
                  ansible_host: 10.0.0.2
              children:
                game:
                  hosts:
                    游服_01: {}
                idc_a:
                  hosts:
                    游服_01: {}
                db:
                  hosts:
                    db1: {}
            "#);
        }
        assert_eq!(imported.hosts, 2);
        assert_eq!(imported.warnings.len(), 1);
        let inventory = read("hosts.yml", &imported.yaml).unwrap();
        assert_eq!(inventory.host_names().len(), 2);
        assert_eq!(inventory.groups_of("游服_01").len(), 2);
    }
}

#[test]
fn headings_in_english_and_other_separators() {
    let expected =
        import("Hostname,IP Address,Port,Group,http-port,2nd\nweb01,10.0.0.1,2222,web,8080,yes\n");
    insta::assert_snapshot!(expected.yaml, @r"
    all:
      hosts:
        web01:
          ansible_host: 10.0.0.1
          ansible_port: 2222
          http_port: '8080'
          _2nd: 'yes'
      children:
        web:
          hosts:
            web01: {}
    ");
    for separator in [";", "\t"] {
        let text =
            "Hostname,IP Address,Port,Group,http-port,2nd\nweb01,10.0.0.1,2222,web,8080,yes\n";
        assert_eq!(import(&text.replace(',', separator)), expected);
    }
}

#[test]
fn addresses_do_where_there_are_no_names() {
    let imported = import("ip,note\n10.0.0.1,a\n2001:db8::1,b\n");
    let inventory = read("hosts.yml", &imported.yaml).unwrap();
    assert!(inventory.has_host("10.0.0.1"));
    // A name is one word of a pattern; the address is kept.
    let found = inventory.variable("2001_db8__1", "ansible_host").unwrap();
    assert_eq!(found.unwrap().value, Value::string("2001:db8::1"));
}

#[test]
fn odd_rows_are_warned_of_with_their_lines() {
    let imported = import(
        "host,port,group\nweb01,22,web\n\nweb02,ssh,web\n,80,web\nweb03,22,web,more\n\
         \"web\n04\",22\nweb01,2222,db\nweb05,99999,\n",
    );
    insta::assert_snapshot!(imported.warnings.join("\n"), @r"
    line 4: `ssh` is no port, it was left out
    line 5: no name and no address, passed over
    line 6: 4 fields below 3 headings, the rest was left out
    line 9: host `web01` stands twice, this row wins
    line 10: `99999` is no port, it was left out
    ");
    assert_eq!(imported.hosts, 5);
    let swallowed = import(&format!("host,note\nweb01,\"a\n{}", "web,b\n".repeat(20)));
    insta::assert_snapshot!(swallowed.warnings.join("\n"), @"line 2: a field goes over more than 8 lines: is a quote not closed?");
}

#[test]
fn passwords_stay_out() {
    for heading in [
        "password",
        "ansible_password",
        "root密码",
        "口令",
        "ssh_pwd",
    ] {
        let imported = import(&format!("host,{heading}\nweb01,s3cret\n"));
        assert!(!imported.yaml.contains("s3cret"), "{heading}");
        assert!(imported.warnings[0].contains("passwords"), "{heading}");
    }
}

#[test]
fn tables_that_can_not_be_read_are_refused() {
    let refused = |bytes: &[u8]| import_csv(bytes).unwrap_err();
    insta::assert_snapshot!(refused(b"a,b\n1,2\n"), @"no column of names or addresses among `a`, `b`: call one `host` or `address` (主机, 地址)");
    insta::assert_snapshot!(refused(b""), @"no column of names or addresses among ``: call one `host` or `address` (主机, 地址)");
    insta::assert_snapshot!(refused(b"host\nweb\xff\xff\n"), @"the text is neither UTF-8 nor GBK: save it as UTF-8");
}
