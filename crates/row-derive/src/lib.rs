//! `#[derive(FromRow)]`: reads a struct from a row of a result, each field from the column of its name. The trait is `kernel::row::FromRow`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, parse_macro_input};

/// Reads each field from the column of its name.
#[proc_macro_derive(FromRow)]
pub fn from_row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let Data::Struct(data) = &input.data else {
        return refuse(&input);
    };
    let Fields::Named(fields) = &data.fields else {
        return refuse(&input);
    };
    let name = &input.ident;
    let (generics, types, wheres) = input.generics.split_for_impl();
    let fields = fields.named.iter().enumerate().map(|(place, field)| {
        let ident = &field.ident;
        let column = ident.as_ref().map(ToString::to_string);
        let column = column.as_deref().map(|c| c.strip_prefix("r#").unwrap_or(c)).unwrap_or_default();
        quote! { #ident: row.take(#column, #place)? }
    });
    quote! {
        impl #generics ::kernel::row::FromRow for #name #types #wheres {
            fn from_row(row: &mut ::kernel::row::Row) -> ::std::result::Result<Self, ::kernel::row::Unreadable> {
                ::std::result::Result::Ok(Self { #(#fields),* })
            }
        }
    }
    .into()
}

fn refuse(input: &DeriveInput) -> TokenStream {
    Error::new_spanned(&input.ident, "a row is read into a struct with named fields")
        .into_compile_error()
        .into()
}
